import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/config.ts';
import { S3_CREDENTIALS, S3_REGION, type S3StandIn } from '../helpers/s3-stand-in.ts';
import { ADMIN, MASTER_KEY } from '../helpers/start-app.ts';
import { KEY } from './fixture.ts';

export interface RunningServer {
  readonly pid: number;
  readonly origin: string;
  /** Everything that was written so far. */
  readonly output: () => string;
  /** Resolves at its end with exit code and signal. */
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
  /** Sends a signal and resolves with what `ended` says. */
  kill(signal: NodeJS.Signals): Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
}

/** What every server of these tests has in its environment. */
export const BASE = {
  MASTER_API_KEY: MASTER_KEY,
  UI_USERNAME: ADMIN.username,
  UI_PASSWORD: ADMIN.password,
  ENCRYPTION_KEY: 'a key for provider keys',
  SNAPSHOT_KEY: KEY,
};

/** An empty folder that goes with the test. */
export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ipin-snapshot-process-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** For a snapshot in the stand-in. */
export function s3Environment(s3: S3StandIn, bucket = 'bucket'): Environment {
  return {
    SNAPSHOT_URL: `s3://${bucket}/state`,
    AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
    AWS_REGION: S3_REGION,
    AWS_ENDPOINT_URL_S3: s3.origin,
  };
}

const ENTRY = fileURLToPath(new URL('../../src/server.ts', import.meta.url));

/** A port that was free a moment ago: for asking a server that does not yet say where it listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts the whole program, in `folder` and with nothing in its environment but `env`; it ends with the test. */
export async function runServer(t: TestContext, folder: string, env: Environment): Promise<RunningServer> {
  const loader = Reflect.get(process.features, 'typescript') ? [] : ['--import', import.meta.resolve('tsx')];
  const port = await freePort();
  const child = spawn(process.execPath, [...loader, ENTRY], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: String(port), KEEP_ALIVE_URL: '', ...env },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = once(child, 'close').then(
    ([code, signal]: (number | NodeJS.Signals | null)[]) =>
      [typeof code === 'number' ? code : null, (signal ?? null) as NodeJS.Signals | null] as const,
  );
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    origin: `http://127.0.0.1:${port}`,
    output: () => output,
    ended,
    kill(signal) {
      child.kill(signal);
      return ended;
    },
  };
}
