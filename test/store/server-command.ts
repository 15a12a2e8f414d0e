import { type ChildProcess, spawn } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import type { Environment } from '../../src/config.ts';
import { ADMIN, expectStatus, jsonRequest, MASTER_KEY } from '../helpers/start-app.ts';
import { prepareProgram } from './compiled-program.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** What every server of these tests has in its environment. */
export const ENV = { MASTER_API_KEY: MASTER_KEY, UI_USERNAME: ADMIN.username, UI_PASSWORD: ADMIN.password };
const RUNNING = new Set<ChildProcess>();

after(() => {
  for (const child of RUNNING) child.kill('SIGKILL');
});

/** The whole server made ready to be started many times: the words to start it with. */
export function prepareServer(): readonly string[] {
  const entry = join(ROOT, 'src', 'server.ts');
  const command = prepareProgram(entry);
  const program = command.at(-1) ?? '';
  if (program !== entry) {
    const home = join(dirname(program), '..');
    for (const name of ['public', 'package.json']) symlinkSync(join(ROOT, name), join(home, name));
  }
  return command;
}

export interface Run {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves at its end with the exit code; null: it was killed. */
  readonly ended: Promise<number | null>;
  /** As `ended`, but for a start that must be refused: resolves too where the server listens instead. */
  readonly refused: Promise<number | null | 'it started'>;
  /** Resolves with its origin once it listens. */
  readonly listening: Promise<string>;
}

/** Starts a command that is the server, with nothing in its environment but `env`; it ends with the file's tests. */
export function runCommand(command: readonly string[], folder: string, env: Environment = {}): Run {
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', KEEP_ALIVE_URL: '', ...env },
  });
  RUNNING.add(child);
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      RUNNING.delete(child);
      resolve(code);
    });
  });
  const listening = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      const port = /"event":"listening".*?"port":(\d+)/.exec(stdout)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
    child.once('close', () => reject(new Error(`the server ended at its start: ${stdout}${stderr}`)));
  });
  const started = listening.then(
    () => 'it started' as const,
    () => ended,
  );
  return {
    child,
    ended,
    listening,
    refused: Promise.race([ended, started]),
    stdout: () => stdout,
    stderr: () => stderr,
  };
}

/** The state of the storage as `/health` says it. */
export async function storageOf(run: Run): Promise<string> {
  const { storage } = (await expectStatus(200, await fetch(`${await run.listening}/health`))) as {
    storage: string;
  };
  return storage;
}

/** Signs in as the admin and returns the token. */
export async function login(origin: string): Promise<string> {
  const answer = await fetch(`${origin}/api/login`, jsonRequest('POST', null, ADMIN));
  return ((await expectStatus(200, answer)) as { token: string }).token;
}

/** Makes an API key. */
export async function addKey(origin: string, token: string): Promise<Response> {
  return fetch(`${origin}/api/admin/apikeys`, jsonRequest('POST', `Bearer ${token}`, { name: 'one more' }));
}
