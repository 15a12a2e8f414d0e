import { MEASURE_COUNT } from '../usage/ledger/measures.ts';
import { script } from './scripts.ts';

/**
 * Adds rows to the sums by hour and by day, once for each number of an instance. A row is a field of the hash of its day or month:
 * its slot and dimensions; its value are all measures, then pairs of bucket and count of the histograms.
 * Arguments: instance, number; then for each row: day, month, hour, day of the month, dimensions, value, and when the sums of its
 * day and of its month are no longer kept (seconds since the epoch).
 */
export const ADD_USAGE = script(`
local key = P .. 'usage:told:' .. ARGV[2]
if tonumber(call('GET', key) or '0') >= tonumber(ARGV[3]) then return 0 end
call('SET', key, ARGV[3], 'EX', 604800)
local function merged(stored, added)
  local numbers, counts, order = {}, {}, {}
  for _, value in ipairs({ stored, added }) do
    local index, bucket = 0, nil
    for number in string.gmatch(value, '%d+') do
      index = index + 1
      if index <= ${MEASURE_COUNT} then numbers[index] = (numbers[index] or 0) + tonumber(number)
      elseif bucket then
        if not counts[bucket] then order[#order + 1] = bucket end
        counts[bucket] = (counts[bucket] or 0) + tonumber(number)
        bucket = nil
      else bucket = number end
    end
  end
  for index, number in ipairs(numbers) do numbers[index] = text(number) end
  for _, bucket in ipairs(order) do
    numbers[#numbers + 1] = bucket
    numbers[#numbers + 1] = text(counts[bucket])
  end
  return table.concat(numbers, ',')
end
local touched = {}
local function add(name, slot, dimensions, value, expiresAt)
  local hash, field = P .. 'usage:' .. name, slot .. ' ' .. dimensions
  local stored = call('HGET', hash, field)
  call('HSET', hash, field, stored and merged(stored, value) or value)
  if not touched[name] then
    touched[name] = true
    call('EXPIREAT', hash, expiresAt)
    call('HINCRBY', P .. 'usage:revisions', name, 1)
  end
end
for at = 4, #ARGV, 8 do
  local dimensions, value = ARGV[at + 4], ARGV[at + 5]
  add('hours:' .. ARGV[at], ARGV[at + 2], dimensions, value, ARGV[at + 6])
  add('days:' .. ARGV[at + 1], ARGV[at + 3], dimensions, value, ARGV[at + 7])
end
return 1
`);

/** Adds lines to the request log, once for each number of an instance. Arguments: instance, number, the most entries, lines. */
export const ADD_LOG = script(`
local told, log = P .. 'log:told:' .. ARGV[2], P .. 'log'
if tonumber(call('GET', told) or '0') < tonumber(ARGV[3]) then
  call('SET', told, ARGV[3], 'EX', 604800)
  for at = 5, #ARGV do call('XADD', log, 'MAXLEN', '~', ARGV[4], '*', 'line', ARGV[at]) end
end
return call('XLEN', log)
`);
