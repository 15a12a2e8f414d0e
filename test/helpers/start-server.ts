import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/config.ts';

export interface ServerProcess {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly pid: number;
  /** Everything that was written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly isRunning: () => boolean;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

const ENTRY = fileURLToPath(new URL('../../src/server.ts', import.meta.url));
const LISTENING = /"event":"listening".*?"port":(\d+)/;

/** An empty folder that goes with the test. */
export function makeTestFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ipin-proxy-process-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts the whole program as a process of its own, with `folder` as working folder and nothing in its environment but
 * what is given; it ends with the test. LOG_LEVEL must be `info` or `debug`: the port is read from the log.
 */
export async function startServer(
  t: TestContext,
  options: { readonly folder: string; readonly env: Environment },
): Promise<ServerProcess> {
  const loader = Reflect.get(process.features, 'typescript') ? [] : ['--import', import.meta.resolve('tsx')];
  const env = { PATH: process.env['PATH'], PORT: '0', HOST: '127.0.0.1', KEEP_ALIVE_URL: '', ...options.env };
  const child = spawn(process.execPath, [...loader, ENTRY], { cwd: options.folder, env });
  let stdout = '';
  let stderr = '';
  let isRunning = true;
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const closed = once(child, 'close').then(([code]: (number | null)[]) => {
    isRunning = false;
    return code ?? null;
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = LISTENING.exec(stdout)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.once('close', () => reject(new Error(`the server ended at its start: ${stdout}${stderr}`)));
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    isRunning: () => isRunning,
    stop() {
      child.kill('SIGTERM');
      return closed;
    },
  };
}
