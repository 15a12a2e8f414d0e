import { CHANNEL, script } from './scripts.ts';

/** An account's sessions end by themselves a while after their last use; the set of all names is tidied when it is read. */
const SESSIONS = `
local index = P .. 'sessions'
local function key(digest) return P .. 'session:' .. digest end
local function tell(instance) call('PUBLISH', '${CHANNEL}', instance .. ' sessions') end
local function all()
  local found = {}
  for _, digest in ipairs(call('ZRANGE', index, 0, -1)) do
    local value = call('GET', key(digest))
    if value then found[#found + 1] = { digest, cjson.decode(value), value }
    else call('ZREM', index, digest) end
  end
  return found
end
`;

/** Arguments: instance, session as JSON, its digest, lifetime in milliseconds, the most sessions. */
export const PUT_SESSION = script(`${SESSIONS}
call('SET', key(ARGV[4]), ARGV[3], 'PX', ARGV[5])
call('ZADD', index, now(), ARGV[4])
local over = call('ZCARD', index) - tonumber(ARGV[6])
if over > 0 then
  for _, digest in ipairs(call('ZRANGE', index, 0, over - 1)) do call('DEL', key(digest)) end
  call('ZREMRANGEBYRANK', index, 0, over - 1)
end
tell(ARGV[2])
return 1
`);

/**
 * Changes one member of a session, if it has not ended. A changed credential is told to the others, a use is not.
 * Arguments: instance, digest, member, its value as JSON, lifetime in milliseconds.
 */
export const CHANGE_SESSION = script(`${SESSIONS}
local value = call('GET', key(ARGV[3]))
if not value then return 0 end
local session = cjson.decode(value)
session[ARGV[4]] = cjson.decode(ARGV[5])
call('SET', key(ARGV[3]), cjson.encode(session), 'PX', ARGV[6])
call('ZADD', index, now(), ARGV[3])
if ARGV[4] ~= 'lastSeenAt' then tell(ARGV[2]) end
return 1
`);

/** All sessions, as JSON texts. */
export const LIST_SESSIONS = script(`${SESSIONS}
local texts = {}
for _, session in ipairs(all()) do texts[#texts + 1] = session[3] end
return texts
`);

/** Ends sessions by their digests. Returns how many there were. Arguments: instance, digests. */
export const DELETE_SESSIONS = script(`${SESSIONS}
local count = 0
for at = 3, #ARGV do
  count = count + call('DEL', key(ARGV[at]))
  call('ZREM', index, ARGV[at])
end
if count > 0 then tell(ARGV[2]) end
return count
`);

/**
 * Ends the sessions that fit. Returns how many there were.
 * Arguments: instance, 'user' (then an account: its id, or '' for the admin's), 'all' or 'idle' (then a time in milliseconds),
 * the argument of that, the digest that stays.
 */
export const END_SESSIONS = script(`${SESSIONS}
local count = 0
for _, session in ipairs(all()) do
  local owner = session[2].userId
  if owner == cjson.null or owner == nil then owner = '' end
  local fits = ARGV[3] == 'all'
    or (ARGV[3] == 'user' and owner == ARGV[4])
    or (ARGV[3] == 'idle' and not (session[2].lastSeenAt >= tonumber(ARGV[4])))
  if fits and session[1] ~= ARGV[5] then
    call('DEL', key(session[1]))
    call('ZREM', index, session[1])
    count = count + 1
  end
end
if count > 0 then tell(ARGV[2]) end
return count
`);
