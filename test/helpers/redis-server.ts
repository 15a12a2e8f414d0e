import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { after } from 'node:test';
import { loadClientFactory } from '../../src/redis/client.ts';
import { ownPort } from './own-port.ts';
import { makeTestFolder } from './start-server.ts';

const COMMAND = 'redis-server';
const START_MS = 20_000;
const PAUSE_MS = 20;

/** A test, or a suite, with whose end something ends. */
export interface EndsWith {
  after(end: () => unknown): void;
}

/** What ends with the suite in whose body this is called. */
export function endsWithSuite(): EndsWith {
  const ends: (() => unknown)[] = [];
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  return { after: (end) => void ends.push(end) };
}

/** The reason why redis-server cannot run here; false where it can. */
export function redisSkipped(): string | false {
  return spawnSync(COMMAND, ['--version']).status === 0 ? false : 'redis-server is not installed';
}

/** A real engine of a test. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Starts it again on the same port and data, after `kill`. */
  start(): Promise<void>;
  /** Ends it at once; what it has not written is lost. */
  kill(): Promise<void>;
  /** Stops and continues it, without closing any connection. */
  freeze(): void;
  thaw(): void;
  /** All that it holds: each key with its serialised value. */
  dump(): Promise<readonly string[]>;
}

/** Starts an engine on a port of its own; it ends with the test. With `appendOnly` it keeps what was acknowledged over a kill. */
export async function startRedis(
  t: EndsWith,
  {
    appendOnly = false,
    args = [],
  }: { readonly appendOnly?: boolean; readonly args?: readonly string[] } = {},
): Promise<RedisServer> {
  const folder = makeTestFolder(t);
  const port = await ownPort(t);
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--rdbcompression',
    'no',
  ];
  let child: ChildProcess | null = null;
  const kill = async (): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'close');
  };
  const start = async (): Promise<void> => {
    const started = spawn(COMMAND, [...options, '--appendonly', appendOnly ? 'yes' : 'no', ...args], {
      stdio: 'ignore',
    });
    child = started;
    const limitMs = performance.now() + START_MS;
    while (!(await answers(port))) {
      if (performance.now() > limitMs || started.exitCode !== null)
        throw new Error('redis-server did not start');
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  t.after(kill);
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async dump() {
      const client = (await loadClientFactory(`redis://127.0.0.1:${port}`))();
      await client.connect();
      const keys = (await client.sendCommand(['KEYS', '*'])) as string[];
      const values = await Promise.all(keys.map((key) => client.sendCommand(['DUMP', key])));
      client.destroy();
      return keys.map((key, index) => `${key} ${values[index]}`);
    },
  };
}

/** True if an engine answers and has loaded its data; one that wants a password answers, too. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('data', (data) => end(/^(\+PONG|-NOAUTH)/.test(data.toString())));
    socket.once('error', () => end(false));
  });
}
