// Mixed traffic for a long time, over providers that fail now and then and clients that leave. Nothing may grow.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from '../test/helpers/fuzz-random.ts';
import type { Subject } from './processes.ts';
import { type Admin, signIn, startProxy, startServer } from './proxy-setup.ts';
import { Caller } from './soak/caller.ts';
import { nameOf, planCall, problemOf } from './soak/plan.ts';
import {
  growthOf,
  metricsOf,
  type Sample,
  socketsOf,
  TABLE_HEAD,
  tableRow,
  takeSample,
} from './soak/samples.ts';
import { makeSoakStore } from './soak/store.ts';

const CALLS_PER_SECOND = 50;
const SAMPLE_MS = 10_000;
const TABLE_ROWS = 36;
const WARM_UP_MINUTES = 5;
/** Memory may grow by so many MiB in 10 minutes. */
const GROWTH_LIMIT_MIB = 5;
/** The growth of a shorter run says nothing. */
const JUDGED_MINUTES = 10;
/** Everything must be given back within this time after the last call. */
const CALM_MS = 30_000;
const SHOWN_PROBLEMS = 10;

interface Settings {
  readonly minutes: number;
  readonly seed: number;
}

/** The calls made so far, and how they ended. */
class Tally {
  calls = 0;
  problems = 0;
  readonly ends = new Map<string, number>();

  count(end: string): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1);
  }

  problem(text: string): void {
    this.problems += 1;
    if (this.problems <= SHOWN_PROBLEMS) console.log(`PROBLEM: ${text}`);
  }
}

function readSettings(): Settings {
  const [minutes, seed] = readNumbers();
  if (minutes !== undefined && minutes > 0 && Number.isInteger(seed)) return { minutes, seed: Number(seed) };
  console.error('npm run soak -- [--minutes 30] [--seed NUMBER]');
  process.exit(1);
}

/** Minutes and seed; nothing for an unknown option. */
function readNumbers(): number[] {
  try {
    const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
    return [Number(values.minutes ?? 30), Number(values.seed ?? Date.now() % 1_000_000)];
  } catch {
    return [];
  }
}

/** Starts calls at even times, whether or not the earlier ones have ended; resolves once all have. */
async function makeCalls(caller: Caller, { minutes, seed }: Settings, tally: Tally): Promise<void> {
  const random = createRandom(seed);
  const count = Math.round(minutes * 60 * CALLS_PER_SECOND);
  const running = new Set<Promise<void>>();
  const startedMs = performance.now();
  for (let id = 0; id < count; id++) {
    const waitMs = startedMs + (id * 1000) / CALLS_PER_SECOND - performance.now();
    if (waitMs > 0) await wait(waitMs);
    const plan = planCall(id, random);
    const work = caller.call(plan).then((end) => {
      running.delete(work);
      tally.count(nameOf(end));
      const problem = problemOf(plan, end);
      if (problem !== null) tally.problem(`call ${id} (${plan.kind}, ${plan.turns.join('-')}): ${problem}`);
    });
    running.add(work);
    tally.calls += 1;
  }
  await Promise.all(running);
}

/** Takes samples, and prints some of them, until the traffic has ended. */
async function watch(proxy: Subject, admin: Admin, { traffic, minutes, tally }: Watched): Promise<Sample[]> {
  const samples: Sample[] = [];
  const startedMs = performance.now();
  const everyMs = Math.min(SAMPLE_MS, (minutes * 60_000) / 12);
  const shownEvery = Math.max(1, Math.round((minutes * 60_000) / everyMs / TABLE_ROWS));
  let isOver = false;
  const end = traffic.then(() => {
    isOver = true;
  });
  console.log(`\n${TABLE_HEAD}`);
  for (let count = 1; !isOver; count++) {
    const waitMs = startedMs + count * everyMs - performance.now();
    await Promise.race([wait(Math.max(0, waitMs)), end]);
    if (isOver) break;
    const sample = await takeSample(proxy, admin, startedMs);
    samples.push(sample);
    if (count % shownEvery === 0) console.log(tableRow(sample, tally.calls));
  }
  return samples;
}

interface Watched {
  readonly traffic: Promise<void>;
  readonly minutes: number;
  readonly tally: Tally;
}

/** Waits until the server holds no more than before the traffic. */
async function becomeCalm(
  proxy: Subject,
  admin: Admin,
  { sockets, tally }: { sockets: number; tally: Tally },
): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    await wait(500);
    const openNow = socketsOf(proxy.pid);
    const { running, upstream, heldBytes } = await takeSample(proxy, admin, startedMs);
    const state = `${openNow} sockets (${sockets} before), ${running} running, ${upstream} upstream, ${heldBytes} bytes held`;
    const isCalm = openNow <= sockets && running + upstream + heldBytes === 0;
    if (isCalm) return console.log(`\nAfter the traffic: ${state}`);
    if (performance.now() - startedMs > CALM_MS) return tally.problem(`not given back: ${state}`);
  }
}

function judgeGrowth(samples: readonly Sample[], minutes: number, tally: Tally): void {
  const warmUpMinutes = Math.min(WARM_UP_MINUTES, minutes / 6);
  const growth = growthOf(samples, warmUpMinutes);
  const figure = growth === null ? 'unknown' : `${growth.toFixed(2)} MiB per 10 minutes`;
  const isJudged = minutes >= JUDGED_MINUTES;
  const limit = isJudged ? `at most ${GROWTH_LIMIT_MIB}` : `not judged below ${JUDGED_MINUTES} minutes`;
  console.log(`Growth of memory after ${warmUpMinutes.toFixed(1)} minutes: ${figure} (${limit})`);
  if (isJudged && !(growth !== null && growth <= GROWTH_LIMIT_MIB)) tally.problem('the memory grows');
}

async function soak(folder: string, started: Subject[], settings: Settings): Promise<Tally> {
  const dbPath = join(folder, 'soak.db');
  const upstream = await startServer('upstream-faulty', { logPath: join(folder, 'upstream.log') });
  started.push(upstream);
  const key = await makeSoakStore(dbPath, upstream.port);
  const proxy = await startProxy({ dbPath, logLevel: 'info' });
  started.push(proxy);
  const admin = await signIn(proxy.port);
  const tally = new Tally();
  await metricsOf(proxy, admin);
  await wait(1_000);
  const sockets = socketsOf(proxy.pid);
  const caller = new Caller(proxy.port, key);
  const traffic = makeCalls(caller, settings, tally);
  const samples = await watch(proxy, admin, { traffic, minutes: settings.minutes, tally });
  await traffic;
  caller.close();
  await becomeCalm(proxy, admin, { sockets, tally });
  judgeGrowth(samples, settings.minutes, tally);
  console.log(
    `How ${tally.calls} calls ended: ${[...tally.ends].map(([end, count]) => `${count} ${end}`).join(', ')}`,
  );
  const log = readFileSync(`${dbPath}.info.log`, 'utf8');
  const bad = log.split('\n').find((line) => /"event":"(crash|internal error)"|Error:|Warning:/.test(line));
  if (bad !== undefined) tally.problem(`in the log: ${bad.slice(0, 500)}`);
  return tally;
}

const settings = readSettings();
const folder = mkdtempSync(join(tmpdir(), 'ipin-proxy-soak-'));
const started: Subject[] = [];
console.log(
  `Soak of ${settings.minutes} minutes, ${CALLS_PER_SECOND} calls per second, --seed ${settings.seed}`,
);
try {
  const { problems } = await soak(folder, started, settings);
  console.log(problems === 0 ? 'PASSED' : `FAILED: ${problems} problems`);
  process.exitCode = problems === 0 ? 0 : 1;
} finally {
  for (const subject of started.reverse()) await subject.stop();
  rmSync(folder, { recursive: true });
}
