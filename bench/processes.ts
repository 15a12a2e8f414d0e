import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';

/** A server in a separate process, on loopback. */
export interface Subject {
  readonly pid: number;
  readonly port: number;
  /** Time from the start of the process to the first 200. */
  readonly startMs: number;
  /** CPU time of all threads since the start. */
  cpuMicros(): number;
  memory(): Memory;
  stop(): Promise<void>;
}

export interface Memory {
  readonly rssMib: number;
  readonly peakMib: number;
}

export interface StartOptions {
  readonly script: string;
  readonly args?: readonly string[];
  /** The whole environment, except PORT. */
  readonly env?: Readonly<Record<string, string>>;
  /** The file for standard output and standard error. */
  readonly logPath: string;
  /** The path that answers 200 when the server is ready. */
  readonly probePath?: string;
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

/**
 * Starts a server on a free port (`PORT`) and waits until it answers.
 * @throws Error with its output, if it exits or does not answer in time.
 */
export async function startSubject(options: StartOptions): Promise<Subject> {
  const port = await freePort();
  const log = openSync(options.logPath, 'a');
  const env = { PATH: process.env['PATH'], HOST: '127.0.0.1', ...options.env, PORT: String(port) };
  const started = performance.now();
  const child = spawn(process.execPath, [options.script, ...(options.args ?? [])], {
    env,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exited = once(child, 'exit');
  const pid = child.pid ?? 0;
  const probe = `http://127.0.0.1:${port}${options.probePath ?? '/'}`;
  while (!(await answers(probe))) {
    const isLate = performance.now() - started > START_TIMEOUT_MS;
    if (isLate) child.kill('SIGKILL');
    if (isLate || child.exitCode !== null) {
      throw new Error(
        `${options.script} did not start:\n${readFileSync(options.logPath, 'utf8').slice(-2000)}`,
      );
    }
  }
  return {
    pid,
    port,
    startMs: performance.now() - started,
    cpuMicros: () => cpuMicrosOf(pid),
    memory: () => memoryOf(pid),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve(true);
        else setTimeout(resolve, 1, false);
      });
    });
    request.on('error', () => setTimeout(resolve, 1, false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Reads the CPU time of each thread in nanoseconds (https://docs.kernel.org/scheduler/sched-stats.html, first field). */
export function cpuMicrosOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanos = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanos.reduce((sum, value) => sum + value, 0) / 1000;
}

/** Current and peak resident memory, from /proc/PID/status (proc(5)). */
function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024;
  return { rssMib: mib('VmRSS'), peakMib: mib('VmHWM') };
}
