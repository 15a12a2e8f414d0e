import type { Logger } from '../logger.ts';
import { SnapshotError } from './errors.ts';
import { pause, systemTimers, type Timers } from './schedule.ts';
import { type OpenedSnapshot, SnapshotSeal } from './seal.ts';
import type { UsageCopyStatus } from './status.ts';
import type { SnapshotTarget } from './target.ts';

/** The usage statistics, as their copy needs them. */
export interface UsageSource {
  /** Grows with each call that is counted. */
  readonly revision: number;
  /** All that is to be kept, as one archive; null: nothing is kept. */
  exportArchive(): Promise<Buffer | null>;
  /** Takes over what an archive holds and the statistics do not. @throws if it is no archive. */
  importArchive(archive: Buffer): Promise<void>;
}

export interface UsageCopyOptions {
  readonly target: SnapshotTarget;
  /** SNAPSHOT_KEY. */
  readonly key: string;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (count: number) => Buffer;
  readonly timers?: Timers;
  /** False while the snapshot of the configuration is not known to be this installation's. */
  readonly mayWrite: () => boolean;
}

/** A copy is written at most this often. */
export const USAGE_COPY_MS = 5 * 60_000;
const LOAD_LIMIT_MS = 15_000;
const FLUSH_LIMIT_MS = 5_000;
/** RFC 1952 section 2.3.1. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Keeps a copy of the usage statistics at a target off the machine, beside the snapshot and sealed as it is. No failure stops
 * anything: it shows in the status, and the next run tries again.
 */
export class UsageCopy {
  readonly #options: UsageCopyOptions;
  readonly #timers: Timers;
  readonly #seal: SnapshotSeal;
  readonly #ending = new AbortController();
  #status: UsageCopyStatus = { lastAt: null, lastResult: null, message: 'No copy was written yet.' };
  #source: UsageSource | null = null;
  #timer: unknown = null;
  /** False: what the target holds is not known, so it must not be overwritten. */
  #isKnown = false;
  /** The machine has lost its statistics, and the target may have them. */
  #isLost = false;
  #writtenRevision = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: UsageCopyOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#seal = new SnapshotSeal(options.key, options.randomBytes);
  }

  status(): UsageCopyStatus {
    return this.#status;
  }

  /** For a start without statistics: the archive that the target holds; null: none, or it cannot be read now. Never throws. */
  async load(): Promise<Buffer | null> {
    this.#isLost = true;
    const limited = new AbortController();
    const timer = this.#timers.set(() => limited.abort(), LOAD_LIMIT_MS);
    try {
      return await this.#read(limited.signal);
    } catch (error) {
      this.#failed(error);
      return null;
    } finally {
      this.#timers.clear(timer);
    }
  }

  /** From now on the statistics are copied. */
  start(source: UsageSource): void {
    this.#source = source;
    this.#arm();
  }

  /** For the shutdown, after the last call was written: writes a last copy, in five seconds at most, and ends. */
  async flush(): Promise<void> {
    this.#timers.clear(this.#timer);
    const waited = new AbortController();
    const last = this.#run().then(() => waited.abort());
    await Promise.race([last, pause(this.#timers, FLUSH_LIMIT_MS, waited.signal)]);
    waited.abort();
    this.#ending.abort();
    await last;
  }

  #arm(): void {
    if (this.#ending.signal.aborted) return;
    this.#timer = this.#timers.set(() => void this.#run().then(() => this.#arm()), USAGE_COPY_MS);
  }

  #run(): Promise<void> {
    this.#running = this.#running.then(() => this.#write()).catch((error: unknown) => this.#failed(error));
    return this.#running;
  }

  async #write(): Promise<void> {
    const { target, mayWrite, now } = this.#options;
    const { signal } = this.#ending;
    const source = this.#source;
    if (source === null || signal.aborted || !mayWrite()) return;
    const { revision } = source;
    if (revision === this.#writtenRevision) return;
    if (!this.#isKnown) {
      const wasLost = this.#isLost;
      const archive = await this.#read(signal);
      if (archive !== null && wasLost) await source.importArchive(archive);
    }
    const archive = await source.exportArchive();
    if (archive === null) return;
    const document = Buffer.from(archive.toString('base64'), 'latin1');
    const sealed = await this.#seal.seal(document, { generation: now(), writer: 0 });
    await target.put(sealed, null, signal);
    this.#writtenRevision = revision;
    this.#report('written', 'The usage statistics are in their copy.');
  }

  /** Reads the target; afterwards it may be overwritten. @throws SnapshotError. */
  async #read(signal: AbortSignal): Promise<Buffer | null> {
    const found = await this.#options.target.get(signal);
    const archive = found === 'absent' ? null : toArchive(await this.#seal.open(found.bytes));
    this.#isKnown = true;
    this.#isLost = false;
    return archive;
  }

  #failed(error: unknown): void {
    const kind = error instanceof SnapshotError ? error.kind : 'refused';
    const problem = error instanceof Error ? error.message : String(error);
    this.#report(
      kind === 'unreadable' ? 'conflict' : kind,
      `The copy of the usage statistics failed: ${problem}`,
    );
    this.#options.logger.warn('snapshot.usage', { message: this.#status.message });
  }

  #report(lastResult: UsageCopyStatus['lastResult'], message: string): void {
    this.#status = { lastAt: new Date(this.#options.now()).toISOString(), lastResult, message };
  }
}

/** @throws SnapshotError `conflict` if it is something else, such as the snapshot of the configuration. */
function toArchive({ document }: OpenedSnapshot): Buffer {
  const archive = Buffer.from(document.toString('latin1'), 'base64');
  if (GZIP_MAGIC.equals(archive.subarray(0, GZIP_MAGIC.length))) return archive;
  const fix = 'let SNAPSHOT_URL name a place where the same address with .usage at its end is free.';
  throw new SnapshotError('conflict', `The place of the copy holds something else: ${fix}`);
}

/** The address of the copy: that of the snapshot with `.usage` at the end of its path. */
export function usageCopyUrl(url: string): string {
  if (/^s3:/i.test(url)) return `${url}.usage`;
  const address = new URL(url);
  address.pathname += '.usage';
  return address.href;
}
