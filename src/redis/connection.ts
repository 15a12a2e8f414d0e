import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreStartError } from '../store/document-error.ts';
import type { ClientFactory, RedisClient } from './client.ts';
import { CHANNEL, type Script } from './scripts.ts';

/** The engine is away, or did not answer: whether the command has run is not known. */
export class EngineAwayError extends Error {
  override readonly name = 'EngineAwayError';

  constructor(options: { readonly cause?: unknown } = {}) {
    super('Redis does not answer.', options);
  }
}

export interface ConnectionOptions {
  readonly createClient: ClientFactory;
  /** A message in the channel of changes, of this instance too. */
  readonly onMessage: (text: string) => void;
}

/** An engine that is silent for so long counts as away. */
const ANSWER_LIMIT_MS = 2_000;
const WATCH_MS = 250;
/** Scripts need effects replication and `TIME` in scripts that write; older engines are not tested. */
const LEAST_VERSION = 7;

/** One connection to the engine: a client for commands and one for messages. Whatever fails ends both. */
export class Connection {
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  /** What the engine says of itself, as the command INFO has it. */
  info = '';
  /** Why it ended. */
  failure: unknown = null;
  readonly #commands: RedisClient;
  readonly #messages: RedisClient;
  readonly #loaded = new Set<string>();
  /** Commands that wait for their replies. */
  #waiting = 0;
  /** When the last reply came, or the first of the waiting commands was sent. */
  #heardAtMs = 0;
  readonly #watch: NodeJS.Timeout;
  #resolveEnded: () => void = () => {};
  #isOpen = true;

  private constructor(commands: RedisClient, messages: RedisClient) {
    this.#commands = commands;
    this.#messages = messages;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#watch = setInterval(() => void this.#endIfSilent(), WATCH_MS).unref();
  }

  /** @throws the client's error; StoreStartError for an engine that is too old. */
  static async open({ createClient, onMessage }: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(createClient(), createClient());
    try {
      const clients = [connection.#commands, connection.#messages];
      for (const client of clients) client.on('error', (error) => connection.end(error));
      const opened = Promise.all(clients.map((client) => client.connect()));
      // An engine that accepts connections and says nothing must not be waited for.
      await Promise.race([opened, silence()]);
      connection.info = String(await connection.command(['INFO']));
      refuseOld(connection.info);
      await connection.#messages.subscribe(CHANNEL, onMessage);
      return connection;
    } catch (error) {
      connection.end(error);
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Runs a script, which the engine is sent once. @throws EngineAwayError. */
  run({ source, sha1 }: Script, args: readonly string[]): Promise<unknown> {
    if (this.#loaded.has(sha1)) return this.command(['EVALSHA', sha1, '0', ...args]);
    this.#loaded.add(sha1);
    return this.command(['EVAL', source, '0', ...args]);
  }

  /** Sends a command. An error reply ends the connection, too: the engine cannot do what it has to. @throws EngineAwayError. */
  async command(args: readonly string[]): Promise<unknown> {
    if (!this.#isOpen) throw new EngineAwayError({ cause: this.failure });
    if (this.#waiting === 0) this.#heardAtMs = performance.now();
    this.#waiting += 1;
    try {
      return await this.#commands.sendCommand(args);
    } catch (error) {
      this.end(error);
      throw new EngineAwayError({ cause: error });
    } finally {
      this.#waiting -= 1;
      this.#heardAtMs = performance.now();
    }
  }

  /** Ends the connection; calling it again does nothing. */
  end(failure: unknown = null): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.failure = failure;
    clearInterval(this.#watch);
    for (const client of [this.#commands, this.#messages]) client.destroy();
    this.#resolveEnded();
  }

  async #endIfSilent(): Promise<void> {
    if (!this.#isSilent()) return;
    // After a pause of this process, the replies are there and only have to be read.
    await nextTurn();
    await nextTurn();
    if (this.#isSilent()) this.end(new Error('no reply in time'));
  }

  #isSilent(): boolean {
    return this.#waiting > 0 && performance.now() - this.#heardAtMs > ANSWER_LIMIT_MS;
  }
}

function silence(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('no reply in time')), 2 * ANSWER_LIMIT_MS).unref();
  });
}

function refuseOld(info: string): void {
  const [, name = '', version = ''] = /^(valkey|redis)_version:([\d.]+)/m.exec(info) ?? [];
  if (Number.parseInt(version, 10) >= LEAST_VERSION) return;
  throw new StoreStartError(
    `REDIS_URL leads to ${name === '' ? 'an engine of an unknown kind' : `${name} ${version}`}; Redis or Valkey 7 or newer is needed.`,
  );
}
