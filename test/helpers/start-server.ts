import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/config.ts';
import { prepareProgram } from './programs.ts';

export type Ending = readonly [code: number | null, signal: NodeJS.Signals | null];

/** The whole program as a process of its own. */
export interface ServerRun {
  readonly pid: number;
  /** Everything that was written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with its origin once it listens, which its log must say: LOG_LEVEL `info` or `debug`. */
  readonly listening: Promise<string>;
  /** Resolves once it has written a text to stdout; rejects if it ends before, or takes longer than 20 s. */
  hasShown(text: string): Promise<void>;
  readonly ended: Promise<Ending>;
  /** Sends a signal and resolves with what `ended` says. */
  kill(signal: NodeJS.Signals): Promise<Ending>;
}

export interface RunOptions {
  readonly folder: string;
  readonly env: Environment;
  /** The words to start it with; those of `prepareProgram`, if none are given. */
  readonly command?: readonly string[];
  /** What follows them. */
  readonly words?: readonly string[];
}

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
const SHOW_MS = 20_000;
const LISTENING = /"event":"listening".*?"port":(\d+)/;

/** An empty folder that goes with the test. */
export function makeTestFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ipin-proxy-process-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts the program with `folder` as working folder and nothing in its environment but what is given; it ends with the
 * test. Does not wait: a start may be meant to be refused.
 */
export function runServer(t: TestContext, options: RunOptions): ServerRun {
  const [file = '', ...words] = options.command ?? prepareProgram(ENTRY);
  const env = { PATH: process.env['PATH'], PORT: '0', HOST: '127.0.0.1', KEEP_ALIVE_URL: '', ...options.env };
  const child = spawn(file, [...words, ...(options.words ?? [])], { cwd: options.folder, env });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const listening = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      const port = LISTENING.exec(stdout)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
    child.once('close', () => reject(new Error(`the server ended at its start: ${stdout}${stderr}`)));
  });
  listening.catch(() => {});
  const hasShown = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`no "${text}": ${why}: ${stdout}${stderr}`));
      const deadline = setTimeout(fail, SHOW_MS, 'not in time');
      const look = (): void => {
        if (!stdout.includes(text)) return;
        clearTimeout(deadline);
        child.stdout.off('data', look);
        resolve();
      };
      child.stdout.on('data', look);
      child.once('close', () => {
        clearTimeout(deadline);
        fail('the server ended');
      });
      look();
    });
  const kill = (signal: NodeJS.Signals): Promise<Ending> => {
    child.kill(signal);
    return ended;
  };
  t.after(() => kill('SIGKILL'));
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    listening,
    hasShown,
    ended,
    kill,
  };
}

/** As `runServer`, and waits until it listens. */
export async function startServer(t: TestContext, options: RunOptions): Promise<ServerProcess> {
  const { pid, stdout, stderr, listening, ended, kill } = runServer(t, options);
  let isRunning = true;
  void ended.then(() => {
    isRunning = false;
  });
  const origin = await listening;
  return {
    origin,
    port: Number(new URL(origin).port),
    pid,
    stdout,
    stderr,
    isRunning: () => isRunning,
    stop: async () => (await kill('SIGTERM'))[0],
  };
}
