import { BoundedMap } from '../bounded-map.ts';
import type { AttemptCount, AttemptStore, AttemptWindow, LastUseStore } from '../store/store.ts';
import { unavailable } from './config-store.ts';
import type { Engine } from './engine.ts';
import { PREFIX, script } from './scripts.ts';

/** How many times of last use are kept. */
const USES_LIMIT = 20_000;
/** A use that follows a noted one by less than this is not noted. */
const PRECISION_MS = 60_000;
const USES_KEY = `${PREFIX}uses`;

/** Arguments: name, time, precision and the most names. */
const NOTE_USE = script(`
local key = P .. 'uses'
local before = call('ZSCORE', key, ARGV[2])
if before and tonumber(ARGV[3]) - tonumber(before) < tonumber(ARGV[4]) then return 0 end
call('ZADD', key, ARGV[3], ARGV[2])
local over = call('ZCARD', key) - tonumber(ARGV[5])
if over > 0 then call('ZREMRANGEBYRANK', key, 0, over - 1) end
return 1
`);

/** Times of last use in the engine. */
export class RedisLastUseStore implements LastUseStore {
  readonly #engine: Engine;
  /** What this instance has noted: a busy key must not ask the engine with each call. */
  readonly #noted = new BoundedMap<number>(USES_LIMIT);

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async read(names: readonly string[]): Promise<readonly (number | undefined)[]> {
    if (names.length === 0) return [];
    const scores = await this.#engine.command(['ZMSCORE', USES_KEY, ...names]).catch(() => null);
    // Lists are shown while the engine is away, too.
    if (scores === null) return names.map((name) => this.#noted.get(name));
    return (Array.isArray(scores) ? scores : []).map((score: unknown) => {
      return score === null ? undefined : Number(score);
    });
  }

  async note(name: string, atMs: number): Promise<void> {
    const before = this.#noted.get(name);
    if (before !== undefined && atMs - before < PRECISION_MS) return;
    this.#noted.set(name, atMs);
    const args = [name, String(atMs), String(PRECISION_MS), String(USES_LIMIT)];
    // The next use is noted then.
    await this.#engine.run(NOTE_USE, args).catch(() => void this.#noted.delete(name));
  }
}

const WINDOWS = `
local function key(kind, name) return P .. 'attempts:' .. kind .. ':' .. name end
local function read(kind, name)
  local value = call('GET', key(kind, name))
  return value and cjson.decode(value) or {}
end
`;

/** Five arguments for each window: kind, name, limit, length, whether it refuses. The time stands before them. */
const TAKE_ATTEMPT = script(`${WINDOWS}
local at = tonumber(ARGV[2])
local found, waitMs = {}, 0
for first = 3, #ARGV, 5 do
  local limit, length = tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3])
  local times = {}
  for _, time in ipairs(read(ARGV[first], ARGV[first + 1])) do
    if at - time < length then times[#times + 1] = time end
  end
  table.sort(times)
  if ARGV[first + 4] == '1' and #times >= limit then waitMs = math.max(waitMs, times[1] + length - at) end
  found[#found + 1] = { key(ARGV[first], ARGV[first + 1]), times, limit, length }
end
if waitMs > 0 then return { waitMs } end
local reply = { 0 }
for index, window in ipairs(found) do
  if #window[2] < window[3] then
    window[2][#window[2] + 1] = at
    call('SET', window[1], cjson.encode(window[2]), 'PX', window[4])
    reply[#reply + 1] = index - 1
  end
end
return reply
`);

/** Two arguments for each window: kind and name. The time stands before them. */
const GIVE_BACK_ATTEMPT = script(`${WINDOWS}
for first = 3, #ARGV, 2 do
  local times = read(ARGV[first], ARGV[first + 1])
  for index = #times, 1, -1 do
    if times[index] == tonumber(ARGV[2]) then
      table.remove(times, index)
      break
    end
  end
  if #times == 0 then call('DEL', key(ARGV[first], ARGV[first + 1]))
  else call('SET', key(ARGV[first], ARGV[first + 1]), cjson.encode(times), 'KEEPTTL') end
end
return 1
`);

/** Attempts to sign in, in the engine. A window that nothing is added to ends by itself. */
export class RedisAttemptStore implements AttemptStore {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async take(windows: readonly AttemptWindow[], atMs: number): Promise<AttemptCount> {
    const args = windows.flatMap(({ kind, name, limit, windowMs, refuses }) => {
      return [kind, name, String(limit), String(windowMs), refuses ? '1' : '0'];
    });
    const reply = await this.#engine.run(TAKE_ATTEMPT, [String(atMs), ...args]).catch((error: unknown) => {
      throw unavailable(error);
    });
    const [waitMs = 0, ...indexes] = (Array.isArray(reply) ? reply : []).map(Number);
    return { waitMs, counted: indexes.flatMap((index) => windows[index] ?? []) };
  }

  async giveBack(counted: readonly AttemptWindow[], atMs: number): Promise<void> {
    if (counted.length === 0) return;
    const names = counted.flatMap(({ kind, name }) => [kind, name]);
    // Whoever signed in must not fail for this: the window ends by itself.
    await this.#engine.run(GIVE_BACK_ATTEMPT, [String(atMs), ...names]).catch(() => {});
  }
}
