import { CHANNEL, script } from './scripts.ts';

/**
 * Stores a document if the stored version is still the expected one (0: there is none). The one before it joins the previous
 * versions, of which the newest five are kept. Returns 1, or 0 if somebody was faster.
 * Arguments: instance, expected version, document, its version.
 */
export const REPLACE_CONFIG = script(`
local key = P .. 'config'
local version = tonumber(call('HGET', key, 'version') or '0')
if version ~= tonumber(ARGV[3]) then return 0 end
if version > 0 then
  call('LPUSH', P .. 'config:previous', call('HGET', key, 'document'))
  call('LTRIM', P .. 'config:previous', 0, 4)
end
call('HSET', key, 'version', ARGV[5], 'document', ARGV[4])
call('PUBLISH', '${CHANNEL}', ARGV[2] .. ' config ' .. ARGV[5])
return 1
`);

/**
 * Stores the same configuration in another form, such as with its secrets sealed anew, together with its previous versions, if
 * nothing has changed meanwhile. Returns 1 or 0. Arguments: expected version, document, previous versions (the newest first).
 */
export const RESEAL_CONFIG = script(`
local key = P .. 'config'
if tonumber(call('HGET', key, 'version') or '0') ~= tonumber(ARGV[2]) then return 0 end
call('HSET', key, 'document', ARGV[3])
call('DEL', P .. 'config:previous')
for index = 4, #ARGV do call('RPUSH', P .. 'config:previous', ARGV[index]) end
return 1
`);
