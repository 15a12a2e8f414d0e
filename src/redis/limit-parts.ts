import { INSTANCE_LIVES_MS } from './scripts.ts';

/**
 * What an owner (`key:ID` or `user:ID`) used, as 24 numbers: start, cost, tokens, requests and both grants of its day, week,
 * month and in total. Each change is noted under a number that rises, so that instances can ask for what is new.
 */
export const BUDGETS = `
local DAY = 86400000
local MOST = 9007199254740991
-- The day of the month is worked out as in "chrono-Compatible Low-Level Date Algorithms" (H. Hinnant), civil_from_days.
local function starts(now)
  local day = math.floor(now / DAY)
  local z = day + 719468
  local doe = z - math.floor(z / 146097) * 146097
  local leap = math.floor(doe / 1460) - math.floor(doe / 36524) + math.floor(doe / 146096)
  local yoe = math.floor((doe - leap) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local dayOfMonth = doy - math.floor((153 * mp + 2) / 5)
  return { day * DAY, (day - (day + 3) % 7) * DAY, (day - dayOfMonth) * DAY, 0 }
end
local function read(name)
  local values = {}
  local stored = call('GET', P .. 'budget:' .. name)
  if stored then for number in string.gmatch(stored, '%S+') do values[#values + 1] = tonumber(number) end end
  for index = #values + 1, 24 do values[index] = 0 end
  return values
end
local function load(name, begins)
  local values = read(name)
  for period = 0, 3 do
    local at = period * 6 + 1
    if values[at] < begins[period + 1] then
      values[at] = begins[period + 1]
      for index = at + 1, at + 5 do values[index] = 0 end
    end
  end
  return values
end
local function raise(values, index, amount) values[index] = math.min(MOST, values[index] + amount) end
local function save(name, values)
  local texts = {}
  for index = 1, 24 do texts[index] = text(values[index]) end
  call('SET', P .. 'budget:' .. name, table.concat(texts, ' '))
  call('ZADD', P .. 'changed', call('INCR', P .. 'revision'), name)
end
`;

/**
 * A sliding window of 60 seconds in pieces of a tenth of a second, which end late rather than early. Beside the pieces: their
 * sum, the oldest of them, and the time of the newest amount.
 */
export const WINDOWS = `
local WINDOW = 60000
local function endOf(piece) return piece * 100 + 99 + WINDOW end
local function open(key, now)
  local window = { key = key, sum = 0, oldest = 0, newest = 0 }
  local head = call('HMGET', key, 's', 'o', 'n')
  if not head[1] then return window end
  local newest = tonumber(head[3])
  -- After a step of the clock, what lies in the future would count for as long as the step was.
  if endOf(math.floor(newest / 100)) <= now or newest > now + WINDOW then
    call('DEL', key)
    return window
  end
  window.sum, window.oldest, window.newest = tonumber(head[1]), tonumber(head[2]), newest
  local gone = math.floor((now - WINDOW - 99) / 100)
  if window.oldest > gone then return window end
  local names = {}
  for piece = window.oldest, gone do names[#names + 1] = text(piece) end
  for _, amount in ipairs(call('HMGET', key, unpack(names))) do
    if amount then window.sum = window.sum - tonumber(amount) end
  end
  call('HDEL', key, unpack(names))
  window.oldest = gone + 1
  call('HSET', key, 's', text(window.sum), 'o', text(window.oldest))
  return window
end
local function add(window, now, amount)
  if amount <= 0 then return end
  local at = math.max(now, window.newest)
  local piece = math.floor(at / 100)
  if window.newest == 0 then window.oldest = piece end
  window.sum, window.newest = window.sum + amount, at
  call('HINCRBY', window.key, text(piece), text(amount))
  call('HSET', window.key, 's', text(window.sum), 'o', text(window.oldest), 'n', text(at))
  call('PEXPIRE', window.key, WINDOW + 1000)
end
-- How long until the sum is "most" or less, if nothing is added.
local function waitOf(window, now, most)
  if window.sum <= most then return 0 end
  local sum, last = window.sum, math.floor(window.newest / 100)
  if most <= 0 then return endOf(last) - now end
  for piece = window.oldest, last do
    local amount = call('HGET', window.key, text(piece))
    if amount then
      sum = sum - tonumber(amount)
      if sum <= most then return endOf(piece) - now end
    end
  end
  return 0
end
local function requestsOf(name, now) return open(P .. 'requests:' .. name, now) end
local function tokensOf(name, now) return open(P .. 'tokens:' .. name, now) end
`;

/** What running calls hold of an owner's limits, by the epoch of their instance: calls, tokens, nano-dollars. */
export const LEASES = `
local alive = {}
local function isAlive(epoch, now)
  if alive[epoch] == nil then
    local seen = call('ZSCORE', P .. 'instances', epoch)
    alive[epoch] = seen and tonumber(seen) > now - ${INSTANCE_LIVES_MS}
  end
  return alive[epoch]
end
local function amounts(stored)
  local calls, tokens, nano = string.match(stored, '^(%S+) (%S+) (%S+)$')
  return tonumber(calls), tonumber(tokens), tonumber(nano)
end
local function leased(name, epoch, now)
  local key = P .. 'lease:' .. name
  local held = { calls = 0, tokens = 0, nano = 0, own = { 0, 0, 0 } }
  local flat = call('HGETALL', key)
  for index = 1, #flat, 2 do
    if flat[index] == epoch or isAlive(flat[index], now) then
      local calls, tokens, nano = amounts(flat[index + 1])
      held.calls, held.tokens, held.nano = held.calls + calls, held.tokens + tokens, held.nano + nano
      if flat[index] == epoch then held.own = { calls, tokens, nano } end
    else
      call('HDEL', key, flat[index])
    end
  end
  return held
end
local function setLease(name, epoch, calls, tokens, nano)
  local key = P .. 'lease:' .. name
  if calls <= 0 then call('HDEL', key, epoch)
  else call('HSET', key, epoch, text(calls) .. ' ' .. text(tokens) .. ' ' .. text(nano)) end
end
`;

/**
 * Counts what calls have used and gives back what they held, once for each number of an instance. Nine arguments for each owner:
 * name, the changes of its lease (calls, tokens, nano-dollars), calls that began while the engine was away, calls that ended, their
 * tokens and nano-dollars, and 1 if its tokens are limited.
 */
export const SETTLING = `
local function settle(epoch, instance, number, first, last, time, begins)
  local key = P .. 'settled:' .. instance
  if tonumber(call('GET', key) or '0') >= tonumber(number) then return end
  call('SET', key, number, 'EX', 604800)
  for at = first, last, 9 do
    local name = ARGV[at]
    local numbers = {}
    for index = 1, 8 do numbers[index] = tonumber(ARGV[at + index]) end
    local calls, reserved, money, begun, ended, tokens, nano, isLimited = unpack(numbers)
    if calls ~= 0 or reserved ~= 0 or money ~= 0 then
      local held = call('HGET', P .. 'lease:' .. name, epoch)
      local ownCalls, ownTokens, ownNano = 0, 0, 0
      if held then ownCalls, ownTokens, ownNano = amounts(held) end
      setLease(name, epoch, ownCalls + calls, ownTokens + reserved, ownNano + money)
    end
    if begun > 0 then add(requestsOf(name, time), time, begun) end
    if isLimited == 1 and tokens > 0 then add(tokensOf(name, time), time, tokens) end
    if ended > 0 then
      local values = load(name, begins)
      for counter = 1, 24, 6 do
        raise(values, counter + 1, nano)
        raise(values, counter + 2, tokens)
        raise(values, counter + 3, ended)
      end
      save(name, values)
    end
  end
end
`;
