import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type Measurement, type Row, type Run, sampleOf } from '../measurement.ts';
import { limitMemory } from '../memory-limit.ts';
import { onStage, type Stage } from '../stage.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const MEMORY_LIMIT_BYTES = 512 * MIB;
/** Longer than all the data needs to arrive. */
const SETTLE_MS = 3_000;

/**
 * Peak memory of requests that never end, over the memory of an idle server: answers that must be held, requests waiting
 * in pipelines, incomplete bodies. The server has a limit of 512 MiB if the machine allows it, and must survive.
 */
export const measurement: Measurement = {
  name: 'held-memory',
  title: 'Memory that unfinished requests hold',
  columns: ['-', 'iPin Proxy'],
  async measure(run) {
    const rows: Row[] = [];
    for (const load of loads(run)) rows.push(await measureLoad(run, load));
    return rows;
  },
};

interface Load {
  readonly what: string;
  readonly connections: number;
  /** The data to send on each connection. */
  readonly bytes: (key: string) => Buffer;
}

function loads(run: Run): Load[] {
  const scale = run.pick(1, 0.1);
  return [
    {
      what: '40 answers of 30 MiB to be changed',
      connections: Math.ceil(40 * scale),
      bytes: (key) => post(key, '{"model":"bench-alias","stream":true}'),
    },
    {
      what: '20 connections with 250 waiting requests of 15 KiB',
      connections: Math.ceil(20 * scale),
      bytes: (key) =>
        Buffer.concat(Array(250).fill(post(key, '{"model":"bench-alias","stream":true}', 15 * KIB))),
    },
    {
      what: '600 bodies of 60 KiB that stop before their end',
      connections: Math.ceil(600 * scale),
      bytes: (key) => post(key, 'x'.repeat(64 * KIB)).subarray(0, 60 * KIB),
    },
  ];
}

function post(key: string, body: string, paddingBytes = 0): Buffer {
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: bench',
    `Authorization: ${key}`,
    'Content-Type: application/json',
    `X-Padding: ${'p'.repeat(paddingBytes)}`,
    `Content-Length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function measureLoad(run: Run, load: Load): Promise<Row> {
  const upstreamEnv = { ANSWER_BYTES: String(run.pick(30 * MIB, MIB)) };
  return onStage(run, { upstream: 'upstream-stalling', upstreamEnv }, async (stage) => {
    const isLimited = limitMemory(stage.proxy.pid, MEMORY_LIMIT_BYTES);
    const idleMib = stage.proxy.memory().rssMib;
    const sockets = open(stage, load);
    await setTimeout(SETTLE_MS);
    const grownMib = stage.proxy.memory().peakMib - idleMib;
    for (const socket of sockets) socket.destroy();
    const limit = isLimited ? ', of 512 MiB' : '';
    const what = `${load.what}: memory over idle${limit}`;
    const alive = await fetch(`http://127.0.0.1:${stage.proxy.port}/health`);
    if (!alive.ok) throw new Error(`${load.what}: the server answers ${alive.status}`);
    return { what, unit: 'MiB', bare: null, proxy: sampleOf([grownMib]) };
  });
}

function open(stage: Stage, load: Load): Socket[] {
  const bytes = load.bytes(stage.headers['authorization'] ?? '');
  return Array.from({ length: load.connections }, () => {
    const socket = connect(stage.proxy.port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(bytes);
    return socket;
  });
}
