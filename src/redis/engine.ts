import type { Logger } from '../logger.ts';
import { StoreStartError } from '../store/document-error.ts';
import type { ClientFactory } from './client.ts';
import { Connection, EngineAwayError } from './connection.ts';
import type { Script } from './scripts.ts';

/** What an engine holds for this instance; it is told when the engine comes and goes. */
export interface EnginePart {
  /** The engine is there, again or for the first time: brings both sides to the same state. Rejects if it went away again. */
  resume(): Promise<void>;
  /** The engine went away. */
  pause?(): void;
  /** Called every `BEAT_MS` while the engine is there; one call at a time. Rejects if it went away. */
  beat?(): Promise<void>;
  /** A message of another instance. */
  onMessage?(message: EngineMessage): void;
}

/** What instances tell each other. */
export interface EngineMessage {
  readonly from: string;
  readonly kind: string;
  readonly text: string;
}

export interface EngineOptions {
  readonly createClient: ClientFactory;
  readonly logger: Logger;
  /**
   * Names this process among all instances. What stands before a `-` names their deployment: several may use one engine, each a
   * database of its own, and all hear each other's messages.
   */
  readonly instance: string;
  /** Added to the engine's clock, in milliseconds; for tests. */
  readonly skewMs?: () => number;
}

/** How often instances look at what has changed, beside being told. */
export const BEAT_MS = 500;
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 1_000;

/**
 * The shared Redis or Valkey. One connection after the other: what was sent on a lost one may have run or not, so each has an
 * epoch of its own, and the parts bring themselves up to date on the next.
 */
export class Engine {
  readonly instance: string;
  readonly #options: EngineOptions;
  readonly #parts: EnginePart[] = [];
  #connection: Connection | null = null;
  #isReady = false;
  #isClosed = false;
  #epochs = 0;
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> | null = null;
  #hasWarned = false;
  /** Called once the engine is there. */
  #waiting: (() => void)[] = [];
  #onFirst: { resolve(): void; reject(error: unknown): void } | null = null;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.instance = options.instance;
  }

  /** Connects and keeps the connection; resolves when it is there for the first time. @throws StoreStartError for an old engine. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onFirst = { resolve, reject };
      void this.#keepConnected();
    });
  }

  /** Adds a part, which is resumed now, as soon as the engine is there, and after each loss of the connection. */
  async add(part: EnginePart): Promise<void> {
    for (;;) {
      await this.#ready();
      try {
        await part.resume();
        break;
      } catch (error) {
        if (!(error instanceof EngineAwayError)) throw error;
      }
    }
    this.#parts.push(part);
  }

  /** True while commands can be sent. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Names the present connection. */
  get epoch(): string {
    return `${this.instance}.${this.#epochs}`;
  }

  /**
   * Runs a script.
   * @throws EngineAwayError if the engine is away or did not answer: then the script may have run or not.
   */
  run(script: Script, args: readonly string[] = []): Promise<unknown> {
    if (this.#connection === null) return Promise.reject(new EngineAwayError());
    return this.#connection.run(script, [String(this.#options.skewMs?.() ?? 0), ...args]);
  }

  /** Sends a command. @throws EngineAwayError as `run`. */
  command(args: readonly string[]): Promise<unknown> {
    if (this.#connection === null) return Promise.reject(new EngineAwayError());
    return this.#connection.command(args);
  }

  /** Resolves when commands can be sent; never, if the engine stays away. */
  #ready(): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Runs the beat now, or waits for the one that runs. Never rejects. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = null;
    });
    return this.#beating;
  }

  /** Runs a beat that begins now. Never rejects. */
  flush(): Promise<void> {
    const running = this.#beating;
    return running === null ? this.beat() : running.then(() => this.beat());
  }

  /** Ends the connection for good. */
  close(): void {
    if (!this.#isClosed && !this.#isReady && this.#epochs > 0) {
      const message = 'Redis does not answer at the end: what was counted since it went away is lost.';
      this.#options.logger.warn('redis.lost', { message });
    }
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#connection?.end();
    this.#connection = null;
    this.#isReady = false;
  }

  async #keepConnected(): Promise<void> {
    let waitMs = RETRY_FIRST_MS;
    while (!this.#isClosed) {
      const connection = await this.#open();
      if (connection !== null) {
        waitMs = RETRY_FIRST_MS;
        await connection.ended;
        this.#lose(connection);
      }
      if (this.#isClosed) return;
      const delayMs = waitMs;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      waitMs = Math.min(waitMs * 2, RETRY_LAST_MS);
    }
  }

  /** A connection on which all parts have resumed; null: there is none. */
  async #open(): Promise<Connection | null> {
    let connection: Connection | null = null;
    try {
      const onMessage = (text: string): void => this.#receive(text);
      connection = await Connection.open({ createClient: this.#options.createClient, onMessage });
      if (this.#isClosed) throw new EngineAwayError();
      this.#connection = connection;
      this.#epochs += 1;
      for (const part of this.#parts) await part.resume();
      if (!connection.isOpen) throw new EngineAwayError();
      this.#isReady = true;
      if (this.#hasWarned) this.#options.logger.info('redis.connected');
      if (this.#onFirst !== null) this.#warnOfLoss(connection.info);
      this.#hasWarned = false;
      this.#onFirst?.resolve();
      this.#onFirst = null;
      for (const resolve of this.#waiting.splice(0)) resolve();
      this.#schedule();
      return connection;
    } catch (error) {
      connection?.end();
      this.#connection = null;
      if (error instanceof StoreStartError && this.#onFirst !== null) {
        this.#isClosed = true;
        this.#onFirst.reject(error);
      }
      this.#warn(error);
      return null;
    }
  }

  #lose(connection: Connection): void {
    this.#isReady = false;
    this.#connection = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isClosed) return;
    for (const part of this.#parts) part.pause?.();
    this.#warn(connection.failure);
  }

  #warn(error: unknown): void {
    if (this.#isClosed || this.#hasWarned) return;
    this.#hasWarned = true;
    const problem = error instanceof Error ? error.message : String(error);
    const message =
      'Redis does not answer. Requests to models go on with what was last known; nothing can be changed until it is back.';
    this.#options.logger.error('redis.away', { message, problem });
  }

  /** Looks for settings of the engine with which it loses data. */
  #warnOfLoss(info: string): void {
    const warn = (message: string): void => this.#options.logger.warn('redis.loses_data', { message });
    if (/^aof_enabled:0/m.test(info)) {
      warn(
        'Redis keeps no append-only file: what it has acknowledged is lost when it stops. Set "appendonly yes".',
      );
    }
    const [, policy = 'noeviction'] = /^maxmemory_policy:(\S+)/m.exec(info) ?? [];
    if (policy !== 'noeviction') {
      warn(`Redis may drop data when its memory is full (maxmemory-policy ${policy}). Set it to noeviction.`);
    }
  }

  #receive(text: string): void {
    const [, from = '', kind = ''] = /^(\S+) (\S+)/.exec(text) ?? [];
    if (from === this.instance || deploymentOf(from) !== deploymentOf(this.instance)) return;
    const message = { from, kind, text: text.slice(from.length + kind.length + 2) };
    for (const part of this.#parts) part.onMessage?.(message);
  }

  #schedule(): void {
    if (this.#isClosed || !this.#isReady) return;
    this.#timer = setTimeout(() => {
      void this.beat().then(() => this.#schedule());
    }, BEAT_MS).unref();
  }

  async #beat(): Promise<void> {
    const connection = this.#connection;
    try {
      for (const part of this.#parts) if (this.#isReady) await part.beat?.();
    } catch (error) {
      // What a part cannot do is not known: a new connection brings everything to one state again.
      if (!(error instanceof EngineAwayError)) this.#warn(error);
      connection?.end(error);
    }
  }
}

function deploymentOf(instance: string): string {
  const [deployment = '', rest] = instance.split('-');
  return rest === undefined ? '' : deployment;
}
