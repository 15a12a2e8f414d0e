import { ConfigError } from '../config.ts';
import type { Logger } from '../logger.ts';
import { type DocumentVersion, readDocumentVersion, relationOf, WRITER_COUNTER } from './document-version.ts';
import { SnapshotError } from './errors.ts';
import { type LoadedSnapshot, restoreSnapshot, type SnapshotterParts } from './restore.ts';
import { pause, Schedule, systemTimers, type Timers } from './schedule.ts';
import { SnapshotSeal } from './seal.ts';
import { SNAPSHOTS_OFF, type SnapshotResult, type SnapshotStatus } from './status.ts';
import type { SnapshotTarget } from './target.ts';
import { SnapshotWriter } from './writer.ts';

/** What snapshots need of a store. */
export interface SnapshotSource {
  /** Keeps a number in the database file; written with the next change or later. */
  keepNumber(name: string, value: number): void;
  /** Calls back after each durable change. */
  onChange(listener: () => void): () => void;
  /** The bytes of a database file with what was saved last. */
  exportDocument(): Buffer;
  /** The generation that the store started with, before it wrote anything. */
  readonly loadedGeneration: number;
  /** Writes to the disk, kept numbers included. */
  rewrite(): Promise<boolean>;
}

export interface SnapshotterOptions {
  readonly target: SnapshotTarget;
  /** SNAPSHOT_KEY. */
  readonly key: string;
  readonly logger: Logger;
  /** The current time in milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (count: number) => Buffer;
  readonly timers?: Timers;
}

const START_WAIT_MS = 15_000;
const FLUSH_LIMIT_MS = 5_000;
const WRITER_BYTES = 6;

/** What to do about a snapshot that must not be overwritten. The server runs on without snapshots. */
const CONFLICT_FIX =
  "Snapshots are stopped until a restart. Use this SNAPSHOT_URL for one instance only. To keep this instance's data, move the snapshot away; to keep the snapshot's data, move the database away. Then restart.";

const CONFLICTS = {
  foreign: 'holds the snapshot of another installation',
  'taken-over': 'holds a snapshot that another instance wrote since',
  newer: 'holds a snapshot that is newer than this database',
} as const;

/** Keeps the newest state at a target off the machine, and gives it back if the machine has lost it. */
export class Snapshotter {
  readonly #now: () => number;
  readonly #parts: SnapshotterParts;
  readonly #schedule: Schedule;
  readonly #ending = new AbortController();
  #status: SnapshotStatus;
  #source: SnapshotSource | null = null;
  /** `restore` was called, so what the target holds is known. */
  #isRestored = false;
  #isLoaded = false;
  #writerId: number;
  /** Of the newest state that this process wrote; -1: none. */
  #writtenGeneration = -1;
  #isCompared = false;
  #isUnprotectedLogged = false;

  /** Does nothing until `restore` or `start` is called. */
  constructor(options: SnapshotterOptions) {
    const { target, key, logger, now, randomBytes, timers = systemTimers } = options;
    const { host } = target;
    const { signal } = this.#ending;
    const random = (): number => randomBytes(4).readUInt32BE() / 2 ** 32;
    const writer = new SnapshotWriter(target, new SnapshotSeal(key, randomBytes));
    this.#now = now;
    this.#parts = { writer, host, logger, timers, random, signal };
    this.#writerId = randomBytes(WRITER_BYTES).readUIntBE(0, WRITER_BYTES);
    const message = 'No snapshot was written yet.';
    this.#status = { ...SNAPSHOTS_OFF, enabled: true, target: host, message };
    const run = (): Promise<SnapshotResult> => this.#run();
    this.#schedule = new Schedule({ run, timers, now, random });
  }

  status(): SnapshotStatus {
    const { isProtected } = this.#parts.writer;
    const { message, lastResult } = this.#status;
    const isUnprotected = isProtected === false && lastResult !== 'conflict';
    const notice = isUnprotected ? ` ${this.#unprotectedNotice()}` : '';
    return { ...this.#status, protected: isProtected, message: `${message}${notice}` };
  }

  /**
   * For a start with an empty or volatile store: resolves once the snapshot is known, however long the target cannot be
   * reached. Null: the store starts with `local`, the version of what is there, or from nothing.
   * @throws ConfigError if only a person can fix the problem.
   */
  async restore(local: DocumentVersion | null): Promise<LoadedSnapshot | null> {
    const loaded = await restoreSnapshot(local, this.#writerId, this.#parts);
    this.#isRestored = true;
    this.#isLoaded = loaded !== null;
    if (loaded !== null) this.#report('written', 'The state was loaded from the snapshot.');
    return loaded;
  }

  /**
   * From now on the store's changes are written. After `restore` waits up to 15 seconds for the first write.
   * @throws ConfigError if that was refused, or would have replaced another instance's state.
   */
  async start(source: SnapshotSource): Promise<void> {
    this.#source = source;
    source.onChange(() => this.#schedule.changed());
    const first = this.#schedule.runNow();
    if (!this.#isRestored) return;
    const waited = new AbortController();
    await Promise.race([first, pause(this.#parts.timers, START_WAIT_MS, waited.signal)]);
    waited.abort();
    const { lastResult, message } = this.#status;
    if (lastResult !== 'refused' && lastResult !== 'conflict') return;
    await this.#schedule.stop();
    throw new ConfigError([message]);
  }

  /** For the shutdown, after the store was closed: writes what is not yet written, in five seconds at most, and ends. */
  async flush(): Promise<void> {
    const limit = this.#parts.timers.set(() => this.#ending.abort(), FLUSH_LIMIT_MS);
    if (this.#source !== null) await this.#schedule.runNow();
    await this.#schedule.stop();
    this.#parts.timers.clear(limit);
    this.#ending.abort();
  }

  async #run(): Promise<SnapshotResult> {
    const source = this.#source;
    if (source === null || this.#ending.signal.aborted) return 'written';
    try {
      await this.#write(source);
      return 'written';
    } catch (error) {
      return this.#failed(error);
    }
  }

  async #write(source: SnapshotSource): Promise<void> {
    const { writer, logger, signal } = this.#parts;
    const document = source.exportDocument();
    const local = readDocumentVersion(document);
    if (local === null) throw new Error('The store gave no database file.');
    if (!this.#isCompared) await this.#compare(source, local);
    const { generation } = local;
    if (generation <= this.#writtenGeneration) return;
    source.keepNumber(WRITER_COUNTER, this.#writerId);
    await writer.write(document, { generation, writer: this.#writerId }, signal);
    this.#writtenGeneration = generation;
    this.#report('written', 'The newest state is in the snapshot.');
    logger.debug('snapshot.written', { generation });
    if (writer.isProtected !== false || this.#isUnprotectedLogged) return;
    this.#isUnprotectedLogged = true;
    logger.warn('snapshot.unprotected', { message: this.#unprotectedNotice() });
  }

  /** Before the first write: refuses if the target holds what this store must not replace. */
  async #compare(source: SnapshotSource, local: DocumentVersion): Promise<void> {
    if (!this.#isRestored) await this.#requireOurs(source, local);
    // A loaded state brings the number of the store that wrote it; this store is another one.
    if (!this.#isLoaded) this.#writerId = local.writer ?? this.#writerId;
    this.#isCompared = true;
  }

  async #requireOurs(source: SnapshotSource, local: DocumentVersion): Promise<void> {
    const { writer, host, signal } = this.#parts;
    const held = await writer.read(signal);
    if (held === null) return;
    // The start itself writes too, and that makes nothing newer.
    const generation = Math.min(local.generation, source.loadedGeneration);
    const relation = relationOf({ ...local, generation }, held);
    if (relation === 'ours') return;
    if (relation === 'newer') {
      // Later changes will pass the snapshot's generation without holding its changes: the number on the disk tells.
      source.keepNumber(WRITER_COUNTER, this.#writerId);
      await source.rewrite();
    }
    throw new SnapshotError('conflict', `${host} ${CONFLICTS[relation]}`);
  }

  #failed(error: unknown): SnapshotResult {
    const kind = error instanceof SnapshotError ? error.kind : 'refused';
    const problem = error instanceof Error ? error.message : String(error);
    const { logger } = this.#parts;
    if (kind === 'unreachable') {
      this.#report(kind, `The snapshot was not written: ${problem}. It is tried again.`);
      logger.warn('snapshot.unreachable', { message: this.#status.message });
    } else if (kind === 'refused') {
      this.#report(kind, `The snapshot was not written: ${problem}`);
      logger.error('snapshot.refused', { message: this.#status.message });
    } else {
      this.#report('conflict', `${problem}. ${CONFLICT_FIX}`);
      logger.error('snapshot.conflict', { message: this.#status.message });
      return 'conflict';
    }
    return kind;
  }

  #unprotectedNotice(): string {
    return `${this.#parts.host} takes no notice of If-Match and If-None-Match: a second instance that writes at the same moment could replace this snapshot, so let one instance only use this SNAPSHOT_URL.`;
  }

  #report(lastResult: SnapshotResult, message: string): void {
    const lastAt = new Date(this.#now()).toISOString();
    const lastWrittenAt = lastResult === 'written' ? lastAt : this.#status.lastWrittenAt;
    this.#status = { ...this.#status, lastAt, lastResult, lastWrittenAt, message };
  }
}
