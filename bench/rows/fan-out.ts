import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { runStreams, type StreamsResult } from '../load/load.ts';
import { type Measurement, type Row, type Run, sampleOf } from '../measurement.ts';
import type { Subject } from '../processes.ts';
import { signIn } from '../proxy-setup.ts';
import { bodyFile, chatBody, onStage, type Stage } from '../stage.ts';

const INTERVAL_MS = 100;
/** The proxy cuts a client that took no byte for 60 s, and notices it at most a quarter of that later. */
const CUT_LIMIT_MS = 80_000;
const PAUSE_LIMIT_MS = 20_000;
const MIB = 1024 * 1024;

/**
 * Many streams at the same time: how long the events take, whether all bytes arrive, and how much memory they need; then the
 * same beside clients that read nothing.
 */
export const measurement: Measurement = {
  name: 'fan-out',
  title: 'Many streams at the same time, 10 events per second each',
  measure: async (run) => [...(await measureReaders(run)), ...(await measureUnread(run))],
};

function measureReaders(run: Run): Promise<Row[]> {
  const streams = run.pick(500, 100);
  const events = run.pick(600, 20);
  return onFanOut(run, events, async (stage) => {
    const bare = await read(run, stage, stage.bare, { streams, events });
    const proxy = await read(run, stage, stage.proxy, { streams, events });
    const row = (what: string, unit: Row['unit'], figureOf: (reading: Reading) => number): Row => ({
      what: `${streams} streams: ${what}`,
      unit,
      bare: sampleOf([figureOf(bare)]),
      proxy: sampleOf([figureOf(proxy)]),
    });
    return [
      row('delay of an event, median', 'ms', ({ p50Ms }) => p50Ms),
      row('delay of an event, p99', 'ms', ({ p99Ms }) => p99Ms),
      row('delay of an event, longest', 'ms', ({ mostMs }) => mostMs),
      row('CPU per event', 'µs', ({ cpuMicrosPerEvent }) => cpuMicrosPerEvent),
      row('events, all whole', 'count', (reading) => reading.events),
      row('memory, highest', 'MiB', ({ peakMib }) => peakMib),
    ];
  });
}

/** A tenth of the clients never read. A quick run does not wait until they are cut. */
function measureUnread(run: Run): Promise<Row[]> {
  const streams = run.pick(500, 100);
  const unread = streams / 10;
  const events = run.pick(900, 50);
  return onFanOut(run, events, async (stage) => {
    const others = read(run, stage, stage.proxy, { streams: streams - unread, events });
    // Handled below: it may fail first.
    others.catch(() => {});
    const sockets = openUnread(stage, unread);
    const startedMs = performance.now();
    const heldBytes = await pausedBytes(stage, unread);
    if (!run.isQuick) await allCut(stage, unread, heldBytes);
    const cutMs = performance.now() - startedMs;
    const reading = await others;
    for (const socket of sockets) socket.destroy();
    const row = (what: string, unit: Row['unit'], value: number): Row => ({
      what: `${unread} of ${streams} clients never read: ${what}`,
      unit,
      bare: null,
      proxy: sampleOf([value]),
    });
    const cut = run.isQuick ? [] : [row('all of them cut after', 's', cutMs / 1000)];
    return [
      row('sent to each until the upstream waits, kernel included', 'KiB', heldBytes / unread / 1024),
      row('delay of the other events, p99', 'ms', reading.p99Ms),
      row('memory, highest', 'MiB', reading.peakMib),
      ...cut,
    ];
  });
}

function onFanOut(run: Run, events: number, body: (stage: Stage) => Promise<Row[]>): Promise<Row[]> {
  const upstreamEnv = { EVENTS: String(events), INTERVAL_MS: String(INTERVAL_MS) };
  return onStage(run, { upstream: 'upstream-fan-out', upstreamEnv }, body);
}

interface Reading extends StreamsResult {
  readonly cpuMicrosPerEvent: number;
  readonly peakMib: number;
}

async function read(
  run: Run,
  stage: Stage,
  subject: Subject,
  count: { readonly streams: number; readonly events: number },
): Promise<Reading> {
  const before = subject.cpuMicros();
  const result = await runStreams({
    url: `http://127.0.0.1:${subject.port}/v1/chat/completions`,
    headers: stage.headers,
    bodyPath: bodyFile(run, 'fan-out.json', chatBody('bench-model', true)),
    spreadMs: 1_000,
    ...count,
  });
  const cpuMicrosPerEvent = (subject.cpuMicros() - before) / result.events;
  return { ...result, cpuMicrosPerEvent, peakMib: subject.memory().peakMib };
}

/** Sends requests for endless streams, of which nothing is read. */
function openUnread({ proxy, headers }: Stage, count: number): Socket[] {
  const body =
    '{"model":"bench-model","stream":true,"user":"unread","messages":[{"role":"user","content":"Hi"}]}';
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: bench',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
  ];
  return Array.from({ length: count }, () => {
    const socket = connect(proxy.port, '127.0.0.1').pause();
    socket.on('error', () => {});
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    return socket;
  });
}

interface Unread {
  readonly streams: number;
  readonly bytes: number;
}

async function unreadAt({ upstream }: Stage): Promise<Unread> {
  const response = await fetch(`http://127.0.0.1:${upstream.port}/unread`, {
    signal: AbortSignal.timeout(5_000),
  });
  return response.json() as Promise<Unread>;
}

/** Waits until the upstream sends no more to any of the clients, and returns how many bytes it sent. */
async function pausedBytes(stage: Stage, count: number): Promise<number> {
  const limitMs = performance.now() + PAUSE_LIMIT_MS;
  let last = await unreadAt(stage);
  while (performance.now() < limitMs) {
    await setTimeout(1_000);
    const now = await unreadAt(stage);
    if (now.streams === count && now.bytes === last.bytes) return now.bytes;
    last = now;
  }
  throw new Error(`the upstream still sends to clients that read nothing: ${last.bytes / MIB} MiB`);
}

/** Waits until the proxy has cut the clients, and the upstream has sent nothing meanwhile. */
async function allCut(stage: Stage, count: number, heldBytes: number): Promise<void> {
  const limitMs = performance.now() + CUT_LIMIT_MS;
  for (;;) {
    const { streams, bytes } = await unreadAt(stage);
    if (bytes !== heldBytes) throw new Error('the upstream went on sending to clients that read nothing');
    if (streams === 0) break;
    if (performance.now() > limitMs) throw new Error(`${streams} clients that read nothing are not cut`);
    await setTimeout(500);
  }
  const { headers } = await signIn(stage.proxy.port);
  const metrics = await fetch(`http://127.0.0.1:${stage.proxy.port}/metrics`, { headers });
  const cut = /^ipin_requests_total\{status="200",outcome="cut"\} (\d+)$/m.exec(await metrics.text())?.[1];
  if (Number(cut) !== count) throw new Error(`${cut} calls count as cut, not ${count}`);
}
