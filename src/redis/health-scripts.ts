import { CHANNEL, script } from './scripts.ts';

/** Rests by name, as JSON, and when they end. What is over, and what is too much, is forgotten. */
const RESTS = `
local rests, ends = P .. 'rests', P .. 'rests:ends'
local function forget(names)
  for _, name in ipairs(names) do
    call('HDEL', rests, name)
    call('ZREM', ends, name)
  end
end
local function tell(kind, parts) call('PUBLISH', '${CHANNEL}', ARGV[2] .. ' ' .. kind .. ' ' .. table.concat(parts, '\\0')) end
`;

const RESTS_LIMIT = 4_096;

/** Arguments: instance, name, length in milliseconds, JSON. */
export const REST = script(`${RESTS}
local time = now()
forget(call('ZRANGEBYSCORE', ends, '-inf', time))
local before = call('ZSCORE', ends, ARGV[3])
local ending = time + tonumber(ARGV[4])
if not before or tonumber(before) < ending then
  call('HSET', rests, ARGV[3], ARGV[5])
  call('ZADD', ends, ending, ARGV[3])
end
local over = call('ZCARD', ends) - ${RESTS_LIMIT}
if over > 0 then forget(call('ZRANGE', ends, 0, over - 1)) end
tell('rest', { ARGV[4], ARGV[5], ARGV[3] })
return 1
`);

/** Arguments: instance, name. */
export const END_REST = script(`${RESTS}
forget({ ARGV[3] })
tell('rest-end', { ARGV[3] })
return 1
`);

/** Arguments: instance, a name or nothing, a prefix of names. */
export const WAKE = script(`${RESTS}
local woken = {}
for _, name in ipairs(call('ZRANGE', ends, 0, -1)) do
  if name == ARGV[3] or string.sub(name, 1, #ARGV[4]) == ARGV[4] then woken[#woken + 1] = name end
end
forget(woken)
tell('wake', { ARGV[3], ARGV[4] })
return 1
`);

/** Reply: name, milliseconds until its end, and JSON for each rest. */
export const LIST_RESTS = script(`${RESTS}
local time = now()
local reply = {}
local found = call('ZRANGEBYSCORE', ends, '(' .. text(time), '+inf', 'WITHSCORES')
for index = 1, #found, 2 do
  reply[#reply + 1] = found[index]
  reply[#reply + 1] = tonumber(found[index + 1]) - time
  reply[#reply + 1] = call('HGET', rests, found[index]) or ''
end
return reply
`);

/** How long what was seen is kept for instances that start, in milliseconds; the panel shows as much. */
const SEEN_KEPT_MS = 300_000;
const SEEN_LIMIT = 2_000;

/** Tells what an instance has seen since it last told. Arguments: instance, number of the message, JSON. */
export const TELL_SEEN = script(`
local key, time = P .. 'seen', now()
call('ZADD', key, time, ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
call('ZREMRANGEBYSCORE', key, '-inf', time - ${SEEN_KEPT_MS})
call('ZREMRANGEBYRANK', key, 0, -${SEEN_LIMIT} - 1)
call('PEXPIRE', key, ${SEEN_KEPT_MS})
call('PUBLISH', '${CHANNEL}', ARGV[2] .. ' seen ' .. ARGV[4])
return 1
`);

/** Reply: what was seen in the last minutes, the oldest first: milliseconds since it was told, and JSON. */
export const LIST_SEEN = script(`
local time, reply = now(), {}
local found = call('ZRANGEBYSCORE', P .. 'seen', time - ${SEEN_KEPT_MS}, '+inf', 'WITHSCORES')
for index = 1, #found, 2 do
  reply[#reply + 1] = time - tonumber(found[index + 1])
  reply[#reply + 1] = string.match(found[index], '^%S+ %S+ (.*)$')
end
return reply
`);
