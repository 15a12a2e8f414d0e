import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runTurns, type TurnsLoad } from './load/load.ts';
import { type Row, type Run, sampleOf } from './measurement.ts';
import type { Subject } from './processes.ts';
import { makeStore, type StoreOptions, startProxy, startServer } from './proxy-setup.ts';

/** Running servers: an upstream, and the bare relay and the proxy in front of it. */
export interface Stage {
  readonly upstream: Subject;
  readonly bare: Subject;
  readonly proxy: Subject;
  readonly dbPath: string;
  /** The headers of a request with a JSON body. */
  readonly headers: Readonly<Record<string, string>>;
  /** The longest stall of the proxy's event loop since the last call. Needs `watchesLoop`. */
  longestStallMs(): Promise<number>;
}

export interface StageOptions extends Partial<Pick<StoreOptions, 'keys' | 'models' | 'providers'>> {
  readonly upstream?:
    | 'upstream-static'
    | 'upstream-sse'
    | 'upstream-stalling'
    | 'upstream-fan-out'
    | 'upstream-answer';
  readonly upstreamEnv?: Readonly<Record<string, string>>;
  readonly logLevel?: 'info' | 'warn';
  /** Watches the event loop of the proxy. Costs a timer per millisecond. */
  readonly watchesLoop?: boolean;
}

/** Starts the servers, runs `body`, and stops the servers in any case. */
export async function onStage<Result>(
  run: Run,
  options: StageOptions,
  body: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  const started: Subject[] = [];
  const keep = async (starting: Promise<Subject>): Promise<Subject> => {
    const subject = await starting;
    started.push(subject);
    return subject;
  };
  const logPath = join(run.folder, 'servers.log');
  const dbPath = join(run.folder, `${Date.now()}-${process.hrtime.bigint()}.db`);
  try {
    const upstream = await keep(
      startServer(options.upstream ?? 'upstream-static', { env: options.upstreamEnv ?? {}, logPath }),
    );
    const key = await makeStore({ ...options, dbPath, upstreamPort: upstream.port });
    const bare = await keep(
      startServer('bare-proxy', { env: { UPSTREAM_PORT: String(upstream.port) }, logPath }),
    );
    const loopDelayPath = `${dbPath}.stall`;
    const watch = options.watchesLoop === true ? { loopDelayPath } : {};
    const proxy = await keep(startProxy({ dbPath, logLevel: options.logLevel ?? 'info', ...watch }));
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const longestStallMs = () => readStall(proxy.pid, loopDelayPath);
    return await body({ upstream, bare, proxy, dbPath, headers, longestStallMs });
  } finally {
    for (const subject of started.reverse()) await subject.stop();
  }
}

async function readStall(pid: number, path: string): Promise<number> {
  rmSync(path, { force: true });
  process.kill(pid, 'SIGUSR2');
  while (!existsSync(path)) await setTimeout(5);
  return Number(readFileSync(path, 'utf8'));
}

/** Writes a body to a file in the folder of the run, for the load generators. */
export function bodyFile(run: Run, name: string, body: string | Buffer): string {
  const path = join(run.folder, name);
  writeFileSync(path, body);
  return path;
}

const SYSTEM = 'You are a helpful assistant. Answer briefly and name your sources. '.repeat(8);
const QUESTION = 'What is the difference between a process and a thread? '.repeat(14);

/** A chat request of typical size (about 1.5 KB). */
export function chatBody(model: string, stream: boolean, maxTokens = 512): string {
  const messages = [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: QUESTION },
  ];
  return JSON.stringify({
    model,
    messages,
    temperature: 0.7,
    max_tokens: maxTokens,
    ...(stream ? { stream } : {}),
  });
}

/** The same as a request of the Messages API, streamed. */
export function messagesBody(model: string): string {
  const messages = [{ role: 'user', content: QUESTION }];
  return JSON.stringify({ model, system: SYSTEM, messages, temperature: 0.7, max_tokens: 512, stream: true });
}

/** The same as a request of the Responses API, streamed. */
export function responsesBody(model: string): string {
  const body = { model, instructions: SYSTEM, input: QUESTION, temperature: 0.7, max_output_tokens: 512 };
  return JSON.stringify({ ...body, stream: true });
}

/** One of several loads that are compared: a server, and what it is asked. */
export interface Target {
  readonly server: Subject;
  readonly headers: Stage['headers'];
  readonly bodyPath: string;
  /** By default that of a chat completion. */
  readonly path?: string;
  /** A shorter request of the same kind, sent 10,000 times before; absent: the warm-up is one round. */
  readonly warmUpBodyPath?: string;
}

/** How the targets are loaded: `turns` batches of `requests` requests for each of them in a round. */
export type Turns = Pick<TurnsLoad, 'connections' | 'requests' | 'turns'>;

export interface Cost {
  readonly cpuMicrosPerResponse: number;
}

/** Sends 10,000 requests to each target by turns: until then V8 compiles, which is a sixth of what a short stream costs. */
export async function warmUp(run: Run, targets: TurnsLoad['targets']): Promise<void> {
  const turns = run.pick(20, 1);
  if (targets.length > 0) await runTurns({ targets, connections: 16, requests: 500, turns });
}

/**
 * Loads the targets by turns, in a closed loop on each connection, after a warm-up of all.
 * @returns one cost per round for each target.
 */
export async function compareCosts<Name extends string>(
  run: Run,
  turns: Turns,
  targets: Readonly<Record<Name, Target>>,
): Promise<Record<Name, Cost[]>> {
  const names = Object.keys(targets) as Name[];
  const costs = Object.fromEntries(names.map((name) => [name, [] as Cost[]])) as Record<Name, Cost[]>;
  const load: TurnsLoad = {
    ...turns,
    targets: names.map((name) => {
      const { server, headers, bodyPath, path = '/v1/chat/completions' } = targets[name];
      return { url: `http://127.0.0.1:${server.port}${path}`, headers, bodyPath, pid: server.pid };
    }),
  };
  await warmUp(
    run,
    names.flatMap((name, index) => {
      const target = load.targets[index];
      const { warmUpBodyPath } = targets[name];
      return target === undefined || warmUpBodyPath === undefined
        ? []
        : [{ ...target, bodyPath: warmUpBodyPath }];
    }),
  );
  await runTurns(load);
  for (let round = 0; round < run.rounds; round++) {
    const results = await runTurns(load);
    for (const [index, { cpuMicros, responses }] of results.entries()) {
      costs[names[index] as Name].push({ cpuMicrosPerResponse: cpuMicros / responses });
    }
  }
  return costs;
}

/** A row of CPU time. Each cost is divided by `parts`, the number of events per response. */
export function cpuRow(what: string, costs: { bare: Cost[]; proxy: Cost[] }, parts = 1): Row {
  const sample = (list: Cost[]) => sampleOf(list.map((cost) => cost.cpuMicrosPerResponse / parts));
  return { what, unit: 'µs', bare: sample(costs.bare), proxy: sample(costs.proxy) };
}
