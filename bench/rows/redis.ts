import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runPaced } from '../load/load.ts';
import { interleave, type Measurement, type Run, sampleOf } from '../measurement.ts';
import type { Subject } from '../processes.ts';
import { makeStore, startProxy, startServer } from '../proxy-setup.ts';
import { bodyFile, chatBody, compareCosts, cpuRow } from '../stage.ts';

const CONNECTIONS = 16;
const PER_SECOND = 200;
/** Limits that are asked for with each call and never reached. */
const LIMITS = { rpm: 1_000_000, tpm: 1_000_000_000, concurrency: 10_000, budgetUsd: 1_000_000 };

/** A key with limits: the file driver beside Redis on the same machine. */
export const measurement: Measurement = {
  name: 'redis',
  title: 'Chat completions of a key with limits: the file driver beside Redis',
  columns: ['file', 'Redis'],
  async measure(run) {
    const stopping: (() => Promise<unknown>)[] = [];
    const keep = async (starting: Promise<Subject>): Promise<Subject> => {
      const subject = await starting;
      stopping.push(() => subject.stop());
      return subject;
    };
    try {
      const logPath = join(run.folder, 'redis.log');
      const upstream = await keep(startServer('upstream-static', { env: {}, logPath }));
      const dbPath = join(run.folder, 'redis.db');
      const key = await makeStore({ dbPath, upstreamPort: upstream.port, limits: LIMITS });
      const { port, stop } = await startRedis(run);
      stopping.push(stop);
      copyFileSync(dbPath, `${dbPath}.shared`);
      const bare = await keep(startProxy({ dbPath, logLevel: 'info' }));
      const redisUrl = `redis://127.0.0.1:${port}`;
      const proxy = await keep(startProxy({ dbPath: `${dbPath}.shared`, logLevel: 'info', redisUrl }));
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
      const bodyPath = bodyFile(run, 'redis.json', chatBody('bench-model', false));
      const turns = { connections: CONNECTIONS, requests: 500, turns: run.pick(40, 2) };
      const costs = await compareCosts(run, turns, {
        bare: { server: bare, headers, bodyPath },
        proxy: { server: proxy, headers, bodyPath },
      });
      const load = (subject: Subject) => () =>
        runPaced({
          url: `http://127.0.0.1:${subject.port}/v1/chat/completions`,
          headers,
          bodyPath,
          perSecond: PER_SECOND,
          seconds: run.pick(10, 1),
        });
      const results = await interleave(run.rounds, { bare: load(bare), proxy: load(proxy) });
      const latency = (['p50Ms', 'p99Ms'] as const).map((field) => {
        const what = `Latency, ${field === 'p50Ms' ? 'p50' : 'p99'}, ${PER_SECOND} per second`;
        const sample = (list: typeof results.bare) => sampleOf(list.map((result) => result[field]));
        return { what, unit: 'ms' as const, bare: sample(results.bare), proxy: sample(results.proxy) };
      });
      return [cpuRow(`CPU per request, ${CONNECTIONS} connections`, costs), ...latency];
    } finally {
      for (const stop of stopping.reverse()) await stop();
    }
  },
};

/** Starts redis-server with an append-only file. @throws Error if it is not installed. */
async function startRedis({ folder }: Run): Promise<{ port: number; stop: () => Promise<unknown> }> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => server.close(resolve));
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--appendonly', 'yes'];
  const dir = mkdtempSync(join(folder, 'redis-'));
  const child = spawn('redis-server', [...options, '--dir', dir], { stdio: 'ignore' });
  await once(child, 'spawn');
  while (!(await accepts(port))) await setTimeout(20);
  const exited = once(child, 'exit');
  return {
    port,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
