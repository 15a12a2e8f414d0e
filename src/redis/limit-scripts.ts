import { BUDGETS, LEASES, SETTLING, WINDOWS } from './limit-parts.ts';
import { INSTANCE_LIVES_MS, script } from './scripts.ts';

/**
 * Settles what is to be told, as `SETTLE`, then lets a call through and counts it, or refuses it and counts nothing.
 * Arguments: epoch, instance, number of the message, how many arguments it has, and these; tokens and nano-dollars that the call
 * may use; then for each owner with limits: name, the limits rpm, tpm,
 * concurrency, nano-dollars and tokens (each may be empty), and the number of the budget's period.
 * Reply: the time; why it is refused (0: it is not; 1 concurrency, 2 rpm, 3 tpm, 4 spent, 5 reserved); by which owner's limit; for
 * a budget 1 for money and 2 for tokens; how long to wait; for how long a window is full whatever ends; then for each owner: calls, requests and their newest time, tokens and
 * their newest time, reserved tokens and nano-dollars, and the counters if it is refused. All are as they were before the call.
 */
export const RESERVE = script(`${BUDGETS}${WINDOWS}${LEASES}${SETTLING}
local time = now()
local epoch, told = ARGV[2], 5 + tonumber(ARGV[5])
local begins = starts(time)
if told > 5 then settle(epoch, ARGV[3], ARGV[4], 6, told, time, begins) end
local tokens, nano = tonumber(ARGV[told + 1]), tonumber(ARGV[told + 2])
local owners = {}
for at = told + 3, #ARGV, 7 do
  local name = ARGV[at]
  local owner = {
    name = name, rpm = tonumber(ARGV[at + 1]), tpm = tonumber(ARGV[at + 2]), concurrency = tonumber(ARGV[at + 3]),
    usd = tonumber(ARGV[at + 4]), most = tonumber(ARGV[at + 5]), period = (tonumber(ARGV[at + 6]) - 1) * 6 + 1,
    held = leased(name, epoch, time), values = {}
  }
  owner.requests = owner.rpm and requestsOf(name, time) or { sum = 0, newest = 0 }
  owner.tokens = owner.tpm and tokensOf(name, time) or { sum = 0, newest = 0 }
  if owner.usd or owner.most then owner.values = load(name, begins) end
  owners[#owners + 1] = owner
end
local function budget(owner, isFull)
  local values, at = owner.values, owner.period
  if owner.usd and isFull(values[at + 1], owner.held.nano, owner.usd + values[at + 4]) then return 1 end
  if owner.most and isFull(values[at + 2], owner.held.tokens, owner.most + values[at + 5]) then return 2 end
  return 0
end
local checks = {
  function(owner) return owner.concurrency and owner.held.calls >= owner.concurrency and 1 or 0 end,
  function(owner) return owner.rpm and owner.requests.sum >= owner.rpm and 1 or 0 end,
  function(owner)
    if not owner.tpm then return 0 end
    local used = owner.tokens.sum + owner.held.tokens
    return used > 0 and used + tokens > owner.tpm and 1 or 0
  end,
  function(owner) return budget(owner, function(used, _, limit) return used >= limit end) end,
  function(owner) return budget(owner, function(used, reserved, limit) return used + reserved >= limit end) end,
}
local refused, by, unit, waitMs, fullMs = 0, 0, 0, 0, 0
for number, check in ipairs(checks) do
  for index, owner in ipairs(owners) do
    if refused == 0 then
      unit = check(owner)
      if unit > 0 then refused, by = number, index end
    end
  end
end
if refused > 0 then
  for _, owner in ipairs(owners) do
    if owner.rpm then waitMs = math.max(waitMs, waitOf(owner.requests, time, owner.rpm - 1)) end
    if owner.tpm then
      local own = math.max(0, owner.tpm - tokens)
      local beside = own - owner.held.tokens
      waitMs = math.max(waitMs, waitOf(owner.tokens, time, beside >= 0 and beside or own))
    end
  end
end
if refused == 2 then fullMs = waitOf(owners[by].requests, time, owners[by].rpm - 1) end
if refused == 3 then fullMs = waitOf(owners[by].tokens, time, math.max(0, owners[by].tpm - tokens)) end
local reply = { time, refused, by, unit, waitMs, fullMs }
for _, owner in ipairs(owners) do
  local held, requests, used = owner.held, owner.requests, owner.tokens
  local state = { held.calls, requests.sum, requests.newest, used.sum, used.newest, held.tokens, held.nano }
  reply[#reply + 1] = state
  if refused > 0 then
    for _, value in ipairs(owner.values) do state[#state + 1] = value end
  else
    local own = held.own
    setLease(owner.name, epoch, own[1] + 1, own[2] + tokens, own[3] + nano)
    if owner.rpm then add(requests, time, 1) end
  end
end
return reply
`);

/**
 * Counts what calls have used and gives back what they held; once for each number, which rises with each message of an instance.
 * Arguments: epoch, instance, number; then for each owner the nine of `SETTLING`.
 */
export const SETTLE = script(`${BUDGETS}${WINDOWS}${LEASES}${SETTLING}
local time = now()
settle(ARGV[2], ARGV[3], ARGV[4], 5, #ARGV, time, starts(time))
return 1
`);

/**
 * An instance is there, under a new epoch that takes the place of earlier ones. Arguments: epoch, the earlier epochs, separated by
 * spaces; then for each owner with running calls: name, calls, tokens, nano-dollars.
 */
export const JOIN = script(`${LEASES}
call('ZADD', P .. 'instances', now(), ARGV[2])
for epoch in string.gmatch(ARGV[3], '%S+') do call('ZREM', P .. 'instances', epoch) end
for at = 4, #ARGV, 4 do
  setLease(ARGV[at], ARGV[2], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]))
end
return 1
`);

/** How many owners one beat tells of. */
export const OWNERS_PER_BEAT = 200;

/**
 * An instance lives. Arguments: epoch, the number of the last change that it knows.
 * Reply: 1 if it was still believed to live; how many instances live; whether this one is the first of them; the number of the
 * last change that is told; then the names of the owners that have changed since, each followed by its counters.
 */
export const BEAT = script(`${BUDGETS}
local time, epoch, key = now(), ARGV[2], P .. 'instances'
local seen = call('ZSCORE', key, epoch)
call('ZADD', key, time, epoch)
call('ZREMRANGEBYSCORE', key, '-inf', time - DAY)
local living = call('ZRANGEBYSCORE', key, time - ${INSTANCE_LIVES_MS}, '+inf')
table.sort(living)
local isAlive = seen and tonumber(seen) > time - ${INSTANCE_LIVES_MS}
local reply = { isAlive and 1 or 0, #living, living[1] == epoch and 1 or 0, tonumber(ARGV[3]) }
local changed = call('ZRANGEBYSCORE', P .. 'changed', '(' .. ARGV[3], '+inf', 'WITHSCORES', 'LIMIT', 0, ${OWNERS_PER_BEAT})
for index = 1, #changed, 2 do
  reply[4] = tonumber(changed[index + 1])
  reply[#reply + 1] = changed[index]
  reply[#reply + 1] = read(changed[index])
end
return reply
`);

/**
 * Changes a budget by hand. Arguments: name, 'grant' or 'reset', the number of the period, granted nano-dollars and tokens.
 * Reply: the counters.
 */
export const CHANGE_BUDGET = script(`${BUDGETS}
local values = load(ARGV[2], starts(now()))
if ARGV[3] == 'grant' then
  local at = (tonumber(ARGV[4]) - 1) * 6 + 1
  raise(values, at + 4, tonumber(ARGV[5]))
  raise(values, at + 5, tonumber(ARGV[6]))
else
  for at = 1, 24, 6 do for index = at + 1, at + 5 do values[index] = 0 end end
end
save(ARGV[2], values)
return values
`);

/** Takes over the counters of owners. Arguments: name and 24 numbers for each. */
export const IMPORT_BUDGETS = script(`${BUDGETS}
for at = 2, #ARGV, 25 do
  local values = {}
  for index = 1, 24 do values[index] = tonumber(ARGV[at + index]) end
  save(ARGV[at], values)
end
return 1
`);

/** Forgets owners that are gone. Arguments: their names. */
export const FORGET_BUDGETS = script(`
for at = 2, #ARGV do
  for _, kind in ipairs({ 'budget:', 'lease:', 'requests:', 'tokens:' }) do call('DEL', P .. kind .. ARGV[at]) end
  call('ZREM', P .. 'changed', ARGV[at])
end
return 1
`);
