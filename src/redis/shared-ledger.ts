import { HttpError } from '../errors.ts';
import type { OwnerKind } from '../store/entities.ts';
import type { CallEntry } from '../usage/call-entry.ts';
import { DAY_MS, type Day, dayOf, dayOfMonth, firstDay, monthOf } from '../usage/ledger/calendar.ts';
import {
  type Dimensions,
  dimensionsOf,
  keyOfDimensions,
  otherDimensions,
  toList,
} from '../usage/ledger/dimensions.ts';
import type { Ledger, LedgerStatus } from '../usage/ledger/ledger.ts';
import { DAYS_KEPT_DAYS, HOURS_KEPT_DAYS } from '../usage/ledger/ledger-files.ts';
import { dayOfHour, hourOf, LiveDay } from '../usage/ledger/live-hour.ts';
import { addCall, COUNTS_LENGTH, MEASURE_COUNT } from '../usage/ledger/measures.ts';
import { LastNames } from '../usage/ledger/names.ts';
import type { UsageQuery, UsageResult } from '../usage/ledger/query.ts';
import { readUsage } from '../usage/ledger/read-usage.ts';
import { UsageTable } from '../usage/ledger/usage-table.ts';
import { reportReadings } from '../usage/reading-queue.ts';
import { EngineAwayError } from './connection.ts';
import type { Engine, EnginePart } from './engine.ts';
import { type Message, Messages } from './messages.ts';
import { RedisUsageFiles } from './redis-usage-files.ts';
import { loadNames, saveNames } from './shared-names.ts';
import { ADD_USAGE } from './usage-scripts.ts';

/** The most combinations of dimensions that wait to be told; the rest is counted together. */
const ROWS_LIMIT = 4_000;
/** How many rows one message tells. */
const ROWS_PER_MESSAGE = 100;

/** What was counted of one combination of dimensions in one hour, and not told yet. */
interface Row {
  readonly hour: number;
  readonly dimensions: Dimensions;
  readonly values: Float64Array;
  readonly counts: Uint32Array;
}

/** Counts calls in memory, tells the engine the sums with each beat, and answers what was used over all instances. */
export class SharedLedger implements Ledger, EnginePart {
  readonly #engine: Engine;
  readonly #now: () => number;
  readonly #files: RedisUsageFiles;
  readonly #names = new LastNames();
  readonly #messages = new Messages<readonly Row[]>();
  #rows = new Map<string, Row>();
  /** Knows the models of the present day. */
  #day = new LiveDay(0, new UsageTable());
  readonly #reports = reportReadings();

  constructor(engine: Engine, now: () => number) {
    this.#engine = engine;
    this.#now = now;
    this.#files = new RedisUsageFiles(engine);
  }

  book(call: CallEntry): void {
    if (!call.isCall) return;
    const hour = hourOf(call.endedAtMs);
    const day = dayOfHour(hour);
    if (this.#day.day !== day) this.#day = new LiveDay(day, new UsageTable());
    const { values, counts } = this.#rowOf(hour, dimensionsOf(call, this.#day.isOtherModel(call.modelId)));
    addCall(values, counts, call);
    this.#names.note('key', call.keyId, call.keyName);
    this.#names.note('user', call.userId, call.userName);
  }

  async query(query: UsageQuery): Promise<UsageResult> {
    return this.#reports.run(() => this.#read(query));
  }

  nameOf(kind: OwnerKind, id: string): string | null {
    return this.#names.get(kind, id);
  }

  status(): LedgerStatus {
    return { isDamaged: false, isFailing: !this.#engine.isReady };
  }

  async resume(): Promise<void> {
    this.#names.changeAll();
    await Promise.all(this.#messages.resendable.map((message) => this.#deliver(message)));
    await this.beat();
  }

  async beat(): Promise<void> {
    while (this.#rows.size > 0) {
      const taken = [...this.#rows].slice(0, ROWS_PER_MESSAGE);
      for (const [name] of taken) this.#rows.delete(name);
      await this.#deliver(this.#messages.add(taken.map(([, row]) => row)));
    }
    await saveNames(this.#engine, this.#names);
  }

  async close(): Promise<void> {
    await this.#engine.flush();
  }

  /** @throws EngineAwayError; it is sent again on the next connection then. */
  async #deliver(message: Message<readonly Row[]>): Promise<void> {
    const { number, content } = message;
    const rows = content.flatMap(argumentsOf);
    await this.#engine.run(ADD_USAGE, [this.#engine.instance, String(number), ...rows]);
    this.#messages.acknowledge(message);
  }

  #rowOf(hour: number, dimensions: Dimensions): Row {
    const name = `${hour} ${keyOfDimensions(dimensions)}`;
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const other = otherDimensions(dimensions.outcome);
    if (this.#rows.size >= ROWS_LIMIT && dimensions.endpoint !== other.endpoint)
      return this.#rowOf(hour, other);
    const values = new Float64Array(MEASURE_COUNT);
    const made = { hour, dimensions, values, counts: new Uint32Array(COUNTS_LENGTH) };
    this.#rows.set(name, made);
    return made;
  }

  async #read(query: UsageQuery): Promise<UsageResult> {
    try {
      // So that a report shows what was counted here up to now.
      await this.#engine.flush();
      await this.#files.refresh(dayOf(this.#now()));
      await loadNames(this.#engine, this.#names);
      let failure: unknown = null;
      const loading = <T>(load: Promise<T>): Promise<T> => {
        return load.catch((error: unknown) => {
          failure = error;
          throw error;
        });
      };
      const files = this.#files;
      const result = await readUsage(query, {
        files: {
          hourDays: () => files.hourDays(),
          openDays: () => files.openDays(),
          months: () => files.months(),
          loadHours: (day) => loading(files.loadHours(day)),
          loadParts: (day) => loading(files.loadParts(day)),
          loadMonth: (month) => loading(files.loadMonth(month)),
        },
        liveDays: () => [],
        liveTable: async () => null,
      });
      if (failure !== null) throw failure;
      return result;
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
      const message = 'Redis does not answer, so usage cannot be read at present. Try again in a moment.';
      throw new HttpError('storage_unavailable', message, { headers: { 'retry-after': '5' }, cause: error });
    }
  }
}

/** The arguments of `ADD_USAGE` for a row. */
function argumentsOf({ hour, dimensions, values, counts }: Row): string[] {
  const day: Day = dayOfHour(hour);
  const month = monthOf(day);
  const numbers = [...values];
  for (const [bucket, count] of counts.entries()) if (count > 0) numbers.push(bucket, count);
  const hoursEnd = (day + HOURS_KEPT_DAYS) * (DAY_MS / 1000);
  const daysEnd = (firstDay(month + 1) + DAYS_KEPT_DAYS) * (DAY_MS / 1000);
  const slots = [day, month, hour - day * 24, dayOfMonth(day)];
  return [
    ...slots.map(String),
    JSON.stringify(toList(dimensions)),
    numbers.join(),
    String(hoursEnd),
    String(daysEnd),
  ];
}
