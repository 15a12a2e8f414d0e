import type { Logger } from '../logger.ts';
import type { CounterStore } from '../store/store.ts';
import { CONFLICT_ADVICE, describeConflict } from './conflict.ts';
import {
  type DocumentFacts,
  type Relation,
  readDocumentFacts,
  relationOf,
  WRITER_COUNTER,
} from './document-facts.ts';
import {
  SnapshotConflictError,
  SnapshotRefusedError,
  SnapshotStartError,
  SnapshotUnreachableError,
  SnapshotUnreadableError,
} from './errors.ts';
import { type Restored, restoreSnapshot } from './restore.ts';
import { type RunOutcome, Schedule } from './schedule.ts';
import { SnapshotSeal } from './seal.ts';
import { SNAPSHOTS_OFF, type SnapshotResult, type SnapshotStatus, unprotectedNotice } from './status.ts';
import type { SnapshotTarget } from './target.ts';
import { pause, systemTimers, type Timers } from './timers.ts';
import { SnapshotWriter } from './writer.ts';

/** What a store must offer for its state to be kept elsewhere. */
export interface SnapshotSource {
  readonly counters: CounterStore;
  /** Calls back after each durable change. */
  onChange(listener: () => void): void;
  /** A database file with what was saved last, as bytes. */
  exportDocument(): Buffer;
  /** The generation of what the store started with, before anything was written. */
  readonly loadedGeneration: number;
  /** Writes what waits, counters too, to the disk. */
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

/** Keeps the newest state at a target off the machine, and gives it back where the machine has lost it. */
export interface Snapshotter {
  /**
   * For a start with an empty or volatile store: resolves once the snapshot's state is known, however long its target
   * is out of reach. Loads it unless `local`, what is there, holds all of it.
   * @throws SnapshotStartError where only a person can mend it; the signal's reason when it is aborted.
   */
  restore(local: DocumentFacts | null, signal?: AbortSignal): Promise<Restored>;
  /**
   * From now on the store's changes are written. After `restore` it waits, a while at most, for the first write.
   * @throws SnapshotStartError where that was refused or would replace another instance's state.
   */
  start(source: SnapshotSource): Promise<void>;
  /** Writes what is not yet written, in five seconds at most, then nothing any more. After the store was closed. */
  flush(): Promise<void>;
  status(): SnapshotStatus;
}

const START_WAIT_MS = 15_000;
const FLUSH_LIMIT_MS = 5_000;
const WRITER_BYTES = 6;

/** Makes a snapshotter; nothing happens until `restore` or `start`. */
export function createSnapshotter(options: SnapshotterOptions): Snapshotter {
  return new TargetSnapshotter(options);
}

class TargetSnapshotter implements Snapshotter {
  readonly #options: SnapshotterOptions;
  readonly #timers: Timers;
  readonly #writer: SnapshotWriter;
  readonly #schedule: Schedule;
  readonly #ending = new AbortController();
  #status: SnapshotStatus;
  #source: SnapshotSource | null = null;
  #restored: Restored | null = null;
  #writerId: number;
  /** Of what was written last; -1: nothing by this process. */
  #writtenGeneration = -1;
  #isCompared = false;
  #startProblem: Error | null = null;

  constructor(options: SnapshotterOptions) {
    const { target, key, randomBytes, now } = options;
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#writer = new SnapshotWriter(target, new SnapshotSeal(key, randomBytes));
    this.#writerId = randomBytes(WRITER_BYTES).readUIntBE(0, WRITER_BYTES);
    this.#status = {
      ...SNAPSHOTS_OFF,
      enabled: true,
      target: target.host,
      message: 'No snapshot was written yet.',
    };
    const random = (): number => randomBytes(4).readUInt32BE() / 2 ** 32;
    this.#schedule = new Schedule({ run: () => this.#run(), timers: this.#timers, now, random });
  }

  status(): SnapshotStatus {
    const { message } = this.#status;
    const isUnprotected = this.#writer.isProtected === false && this.#status.lastResult !== 'conflict';
    const notice = isUnprotected ? ` ${unprotectedNotice(this.#options.target.host)}` : '';
    return { ...this.#status, protected: this.#writer.isProtected, message: `${message}${notice}` };
  }

  async restore(local: DocumentFacts | null, signal: AbortSignal = this.#ending.signal): Promise<Restored> {
    const { target, logger, randomBytes } = this.#options;
    const restored = await restoreSnapshot(local, {
      writer: this.#writer,
      writerId: this.#writerId,
      host: target.host,
      logger,
      timers: this.#timers,
      random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
      signal,
    });
    this.#restored = restored;
    if (restored.kind === 'loaded') {
      this.#writtenGeneration = restored.generation;
      if (restored.isClaimed) this.#report('written', 'The state was loaded from the snapshot.');
      else
        this.#report(
          'unreachable',
          'The state was loaded from the snapshot, which cannot be written just now.',
        );
    }
    return restored;
  }

  async start(source: SnapshotSource): Promise<void> {
    this.#source = source;
    source.onChange(() => this.#schedule.changed());
    const first = this.#schedule.runNow();
    if (this.#restored === null) return;
    const waited = new AbortController();
    await Promise.race([first, pause(this.#timers, START_WAIT_MS, waited.signal)]);
    waited.abort();
    if (this.#startProblem === null) return;
    await this.#schedule.stop();
    throw new SnapshotStartError(this.#status.message, { cause: this.#startProblem });
  }

  async flush(): Promise<void> {
    const limit = this.#timers.set(() => this.#ending.abort(), FLUSH_LIMIT_MS);
    if (this.#source !== null) await this.#schedule.runNow();
    await this.#schedule.stop();
    this.#timers.clear(limit);
    this.#ending.abort();
  }

  async #run(): Promise<RunOutcome> {
    const source = this.#source;
    if (source === null || this.#ending.signal.aborted) return 'done';
    try {
      await this.#write(source);
      return 'done';
    } catch (error) {
      this.#startProblem = error instanceof SnapshotUnreachableError ? null : toError(error);
      return this.#failed(error);
    }
  }

  async #write(source: SnapshotSource): Promise<void> {
    const { signal } = this.#ending;
    const document = source.exportDocument();
    const local = readDocumentFacts(document);
    if (local === null) throw new Error('The store gave no database file.');
    if (!this.#isCompared) await this.#compare(source, local);
    if (local.generation > this.#writtenGeneration) {
      source.counters.set(WRITER_COUNTER, this.#writerId);
      await this.#writer.write(document, { generation: local.generation, writer: this.#writerId }, signal);
      this.#writtenGeneration = local.generation;
      this.#report('written', 'The newest state is in the snapshot.');
      this.#options.logger.debug('snapshot.written', { generation: local.generation });
    }
    await this.#tryConditions();
  }

  /** Before the first write: refuses where the target holds what this store must not replace. */
  async #compare(source: SnapshotSource, local: DocumentFacts): Promise<void> {
    // A start writes too, and what it counts that as says nothing of what the content holds.
    const loaded = { ...local, generation: Math.min(local.generation, source.loadedGeneration) };
    const relation = await this.#relation(loaded);
    if (relation === 'newer') {
      // Later changes will count further than the snapshot, and hold less all the same.
      source.counters.set(WRITER_COUNTER, this.#writerId);
      await source.rewrite();
    }
    if (relation !== 'ours') {
      throw new SnapshotConflictError(describeConflict(this.#options.target.host, relation));
    }
    // A state that was loaded brings its writer along; this store is another one.
    if (this.#restored?.kind !== 'loaded') this.#writerId = local.writer ?? this.#writerId;
    source.counters.set(WRITER_COUNTER, this.#writerId);
    this.#isCompared = true;
  }

  async #relation(local: DocumentFacts): Promise<Relation> {
    const restored = this.#restored;
    if (restored?.kind === 'absent' || restored?.kind === 'kept') return 'ours';
    if (restored?.kind === 'loaded')
      return relationOf({ ...local, writer: null }, { ...restored, writer: 0 });
    const held = await this.#writer.read(this.#ending.signal);
    if (held === null) return 'ours';
    const facts = readDocumentFacts(held.document);
    if (facts === null) throw new SnapshotUnreadableError('holds no database of this program');
    return relationOf(local, { ...facts, generation: held.generation, writer: held.writer });
  }

  async #tryConditions(): Promise<void> {
    const { target, logger } = this.#options;
    if (this.#writer.isProtected !== null) return;
    try {
      await this.#writer.tryConditions(this.#ending.signal);
    } catch (error) {
      if (error instanceof SnapshotConflictError) throw error;
      logger.warn('snapshot.conditions_untried', { message: messageOf(error) });
    }
    if (this.#writer.isProtected === false) {
      logger.warn('snapshot.unprotected', { message: unprotectedNotice(target.host) });
    }
  }

  #failed(error: unknown): RunOutcome {
    const { logger, target } = this.#options;
    if (error instanceof SnapshotUnreachableError) {
      this.#report('unreachable', `The snapshot was not written: ${error.message}. It is tried again.`);
      logger.warn('snapshot.unreachable', { message: this.#status.message });
      return 'retry';
    }
    if (error instanceof SnapshotConflictError || error instanceof SnapshotUnreadableError) {
      const what =
        error instanceof SnapshotConflictError ? error.message : `What ${target.host} holds ${error.message}`;
      this.#report('conflict', `${what}. ${CONFLICT_ADVICE}`);
      logger.error('snapshot.conflict', { message: this.#status.message });
      return 'stop';
    }
    this.#report('refused', `The snapshot was not written: ${messageOf(error)}`);
    logger.error('snapshot.refused', { message: this.#status.message });
    return error instanceof SnapshotRefusedError ? 'retry-late' : 'retry';
  }

  #report(lastResult: SnapshotResult, message: string): void {
    const lastAt = new Date(this.#options.now()).toISOString();
    const lastWrittenAt = lastResult === 'written' ? lastAt : this.#status.lastWrittenAt;
    this.#status = { ...this.#status, lastAt, lastResult, lastWrittenAt, message };
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function messageOf(error: unknown): string {
  return toError(error).message;
}
