import { createHash } from 'node:crypto';

/**
 * A Lua script that the engine runs atomically. Its keys are made from the prefix, which is one hash slot, so they are not
 * declared.
 */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

/** All keys begin with this. The braces put them into one hash slot. */
export const PREFIX = '{ipin}:';
/** Where instances tell each other what has changed. */
export const CHANNEL = `${PREFIX}changes`;
/** An instance that was not heard of for so long is dead: what its calls hold is free again. */
export const INSTANCE_LIVES_MS = 8_000;

/** What every script begins with. `now()` is the engine's clock, in milliseconds; the first argument moves it in tests. */
const PRELUDE = `
local P = '${PREFIX}'
local call = redis.call
local function text(n) return string.format('%.0f', n) end
local function now()
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[1])
end
`;

/** Makes a script; its own arguments begin at ARGV[2]. */
export function script(body: string): Script {
  const source = PRELUDE + body;
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}
