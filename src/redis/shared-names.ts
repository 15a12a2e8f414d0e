import { type LastNames, NAMES_LIMIT } from '../usage/ledger/names.ts';
import type { Engine } from './engine.ts';
import { PREFIX, script } from './scripts.ts';

const NAMES_KEY = `${PREFIX}names`;

/** Arguments: the most names; then pairs of owner and name. Over the limit, any names are forgotten. */
const NOTE_NAMES = script(`
local key = P .. 'names'
for at = 3, #ARGV, 2 do call('HSET', key, ARGV[at], ARGV[at + 1]) end
local over = call('HLEN', key) - tonumber(ARGV[2])
if over > 0 then call('HDEL', key, unpack(call('HRANDFIELD', key, math.min(over, 1000)))) end
return 1
`);

/** Tells the engine what has changed. @throws EngineAwayError; it is told next time then. */
export async function saveNames(engine: Engine, names: LastNames): Promise<void> {
  await names.save(async (changed) => {
    await engine.run(NOTE_NAMES, [String(NAMES_LIMIT), ...changed.flat()]);
  });
}

/** Learns the names that other instances know. @throws EngineAwayError. */
export async function loadNames(engine: Engine, names: LastNames): Promise<void> {
  const reply = await engine.command(['HGETALL', NAMES_KEY]);
  const flat: readonly unknown[] = Array.isArray(reply) ? reply : [];
  for (let at = 0; at < flat.length; at += 2) names.learn([String(flat[at]), String(flat[at + 1])]);
}
