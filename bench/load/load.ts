import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The file with the body. */
  readonly bodyPath: string;
}

export interface ClosedLoad extends Load {
  readonly connections: number;
  /** Used if there is no number of requests. */
  readonly seconds?: number;
  readonly requests?: number;
}

export interface ClosedResult {
  /** Responses with status 2xx. */
  readonly responses: number;
  /** Responses with any other status, and failed connections. */
  readonly others: number;
  readonly seconds: number;
  /** The number of responses per status, for error messages. */
  readonly statuses: string;
}

/** Batches of `requests` requests for each target by turns. */
export interface TurnsLoad {
  readonly targets: readonly (Load & { readonly pid: number })[];
  readonly connections: number;
  readonly requests: number;
  readonly turns: number;
}

/** What the batches of one target took in sum. */
export interface TurnsResult {
  /** The CPU time of its server, from the start of each batch to the start of the server's next. */
  cpuMicros: number;
  responses: number;
}

export interface PacedLoad extends Load {
  readonly perSecond: number;
  readonly seconds: number;
}

export interface PacedResult {
  readonly responses: number;
  readonly others: number;
  readonly statuses: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface StreamsLoad extends Load {
  readonly streams: number;
  /** The number of events that each stream must have. */
  readonly events: number;
  /** The time in which all streams begin. */
  readonly spreadMs: number;
}

/** The delays of all events, from the upstream's write to the client's read. */
export interface StreamsResult {
  readonly events: number;
  readonly failures: number;
  readonly firstFailures: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

/**
 * Loads a server in a closed loop.
 * @throws Error for a response that is not 2xx, because figures of failures mean nothing.
 */
export async function runClosed(load: ClosedLoad): Promise<ClosedResult> {
  const result: ClosedResult = await runLoad('closed.js', load);
  return refuseFailures(load, result);
}

/** The same, for a load that must fail (refused logins). */
export function runClosedWithFailures(load: ClosedLoad): Promise<ClosedResult> {
  return runLoad('closed.js', load);
}

/**
 * Loads several servers by turns.
 * @returns a result for each target.
 * @throws Error for an answer that is not 200.
 */
export function runTurns(load: TurnsLoad): Promise<TurnsResult[]> {
  return runLoad('turns.js', load);
}

/** Sends `requests` large requests, one at a time on each connection. Responses of any status count. */
export function runTogether(load: ClosedLoad): Promise<ClosedResult> {
  return runLoad('together.js', load);
}

/**
 * Sends requests at fixed times.
 * @throws Error for a response that is not 200.
 */
export async function runPaced(load: PacedLoad): Promise<PacedResult> {
  const result: PacedResult = await runLoad('paced.js', load);
  return refuseFailures(load, result);
}

/**
 * Reads many streams of `upstream-fan-out` at the same time.
 * @throws Error if one of them failed, or held other bytes than the upstream sent.
 */
export async function runStreams(load: StreamsLoad): Promise<StreamsResult> {
  const result: StreamsResult = await runLoad('streams.js', load);
  if (result.failures === 0 && result.events > 0) return result;
  throw new Error(`${load.url}: ${result.failures} streams failed (${result.firstFailures.join(', ')})`);
}

async function runLoad<Result>(script: string, load: Load | TurnsLoad): Promise<Result> {
  const args = [join(import.meta.dirname, script), JSON.stringify(load)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { PATH: process.env['PATH'] },
  });
  return JSON.parse(stdout);
}

function refuseFailures<Result extends ClosedResult | PacedResult>(load: Load, result: Result): Result {
  if (result.others === 0 && result.responses > 0) return result;
  throw new Error(
    `${load.url}: ${result.others} of ${result.responses + result.others} requests failed (${result.statuses})`,
  );
}
