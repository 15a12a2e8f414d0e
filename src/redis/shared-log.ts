import { HttpError } from '../errors.ts';
import { boundEntry } from '../usage/bounded-entry.ts';
import type { CallEntry } from '../usage/call-entry.ts';
import { decodeEntry, encodeEntry } from '../usage/log-line.ts';
import type { LogPage, LogQuery } from '../usage/log-pages.ts';
import { pageReadings } from '../usage/reading-queue.ts';
import type { CallLog, RequestLogStatus } from '../usage/request-log.ts';
import { EngineAwayError } from './connection.ts';
import type { Engine, EnginePart } from './engine.ts';
import { LogReader } from './log-reader.ts';
import { type Message, Messages } from './messages.ts';
import { ADD_LOG } from './usage-scripts.ts';

/** About what an entry takes: the size of the log in bytes becomes a number of entries. */
const ENTRY_BYTES = 512;
const LEAST_ENTRIES = 1_000;
/** The most entries that wait to be told; beyond it the oldest are lost. */
const WAITING_LIMIT = 10_000;
const PER_MESSAGE = 200;
/** The most entries of others that one beat passes on. */
const PER_BEAT = 1_000;
/** An entry with a longer line is not kept. */
const LINE_LIMIT = 32 * 1024;

/** The request log of all instances: a stream of bounded length in the engine. */
export class SharedLog implements CallLog, EnginePart {
  readonly #engine: Engine;
  readonly #limit: number;
  readonly #reader: LogReader;
  readonly #readings = pageReadings();
  readonly #listeners = new Set<(entry: CallEntry) => void>();
  readonly #messages = new Messages<readonly string[]>();
  #waiting: string[] = [];
  #lostEntries = 0;
  #length = 0;
  /** The newest entry that was passed on; null: not known. */
  #lastId: string | null = null;

  /** @param limitBytes what the log may take, about; 0: as little as possible */
  constructor(engine: Engine, limitBytes: number) {
    this.#engine = engine;
    this.#limit = Math.max(LEAST_ENTRIES, Math.floor(limitBytes / ENTRY_BYTES));
    this.#reader = new LogReader(engine);
  }

  add(entry: CallEntry): void {
    const line = encodeEntry(boundEntry(entry));
    if (line.length > LINE_LIMIT) return;
    this.#waiting.push(line);
    if (this.#waiting.length <= WAITING_LIMIT) return;
    this.#waiting.shift();
    this.#lostEntries += 1;
  }

  /** Calls back with each entry of every instance, about a second after its end. */
  onEntry(listener: (entry: CallEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  page(query: LogQuery): Promise<LogPage | null> {
    return this.#readings.run(() => this.#read(query));
  }

  status(): RequestLogStatus {
    const sizeBytes = this.#length * ENTRY_BYTES;
    return { sizeBytes, isWritable: this.#engine.isReady, lostEntries: this.#lostEntries };
  }

  async resume(): Promise<void> {
    this.#lastId ??= await this.#reader.lastId();
    await Promise.all(this.#messages.resendable.map((message) => this.#deliver(message)));
    await this.beat();
  }

  async beat(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#deliver(this.#messages.add(this.#waiting.splice(0, PER_MESSAGE)));
    }
    await this.#passOn();
  }

  async close(): Promise<void> {
    await this.#engine.flush();
  }

  /** @throws EngineAwayError; it is sent again on the next connection then. */
  async #deliver(message: Message<readonly string[]>): Promise<void> {
    const { number, content } = message;
    const args = [this.#engine.instance, String(number), String(this.#limit), ...content];
    this.#length = Number(await this.#engine.run(ADD_LOG, args));
    this.#messages.acknowledge(message);
  }

  async #read(query: LogQuery): Promise<LogPage | null> {
    try {
      await this.#engine.flush();
      return await this.#reader.page(query);
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
      const message = 'Redis does not answer, so the request log cannot be read. Try again in a moment.';
      throw new HttpError('storage_unavailable', message, { headers: { 'retry-after': '5' }, cause: error });
    }
  }

  /** Passes on what has come since the last beat; without listeners, only its end is noted. */
  async #passOn(): Promise<void> {
    if (this.#listeners.size === 0 || this.#lastId === null) {
      this.#lastId = await this.#reader.lastId();
      return;
    }
    const entries = await this.#reader.after(this.#lastId, PER_BEAT);
    for (const { id, line } of entries) {
      this.#lastId = id;
      const entry = decodeEntry(line);
      if (entry !== null) for (const listener of this.#listeners) listener(entry);
    }
  }
}
