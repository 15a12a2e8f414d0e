import { BoundedMap } from '../bounded-map.ts';
import type { OwnerKind } from '../store/entities.ts';
import type { Engine } from './engine.ts';
import { PREFIX, script } from './scripts.ts';

const NAMES_LIMIT = 20_000;
const NAMES_KEY = `${PREFIX}names`;

/** Arguments: the most names; then pairs of owner and name. Over the limit, any names are forgotten. */
const NOTE_NAMES = script(`
local key = P .. 'names'
for at = 3, #ARGV, 2 do call('HSET', key, ARGV[at], ARGV[at + 1]) end
local over = call('HLEN', key) - tonumber(ARGV[2])
if over > 0 then call('HDEL', key, unpack(call('HRANDFIELD', key, math.min(over, 1000)))) end
return 1
`);

/** The last name of each key and user, so that deleted ones still have one. */
export class SharedNames {
  readonly #engine: Engine;
  readonly #names = new BoundedMap<string>(NAMES_LIMIT);
  #changed = new Map<string, string>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get(kind: OwnerKind, id: string): string | null {
    return this.#names.get(`${kind}:${id}`) ?? null;
  }

  note(kind: OwnerKind, id: string | null, name: string | null): void {
    if (id === null || name === null) return;
    const place = `${kind}:${id}`;
    if (this.#names.get(place) === name) return;
    this.#names.set(place, name);
    this.#changed.set(place, name);
  }

  /** Tells all names again: the engine may have lost some. @throws EngineAwayError. */
  async resume(): Promise<void> {
    for (const [place, name] of this.#names) this.#changed.set(place, name);
    await this.tell();
  }

  /** Tells what has changed. @throws EngineAwayError; it is told next time then. */
  async tell(): Promise<void> {
    if (this.#changed.size === 0) return;
    const told = this.#changed;
    this.#changed = new Map();
    try {
      await this.#engine.run(NOTE_NAMES, [String(NAMES_LIMIT), ...[...told].flat()]);
    } catch (error) {
      this.#changed = new Map([...told, ...this.#changed]);
      throw error;
    }
  }

  /** Learns the names that other instances know. @throws EngineAwayError. */
  async refresh(): Promise<void> {
    const reply = await this.#engine.command(['HGETALL', NAMES_KEY]);
    const flat: readonly unknown[] = Array.isArray(reply) ? reply : [];
    for (let at = 0; at < flat.length; at += 2) {
      const place = String(flat[at]);
      if (!this.#changed.has(place)) this.#names.set(place, String(flat[at + 1]));
    }
  }
}
