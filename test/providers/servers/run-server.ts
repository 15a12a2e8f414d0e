import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { closeAfter } from '../../helpers/teardown.ts';

const START_MS = 60_000;

export interface Command {
  readonly file: string;
  readonly words: readonly string[];
  readonly folder: string;
  readonly port: number;
}

/** Starts a server program, which ends with the test, and waits until it listens. */
export async function runServer(t: TestContext, { file, words, folder, port }: Command): Promise<void> {
  const child = spawn(file, words, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4_000);
  });
  const ended = once(child, 'close');
  closeAfter(t, async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const deadlineMs = performance.now() + START_MS;
  while (!(await accepts(port))) {
    if (isEnded(child) || performance.now() > deadlineMs) throw new Error(`${file} did not start: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The reason why a program cannot be used; false if it answers to the words with success. */
export function isMissing(file: string, ...words: string[]): string | false {
  return spawnSync(file, words, { stdio: 'ignore' }).status === 0
    ? false
    : `${file} ${words.join(' ')} fails`;
}

function isEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
