// Reads many streams of servers/upstream-fan-out.ts at the same time, from a separate process. Checks every byte.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { percentile } from '../measurement.ts';
import type { StreamsLoad, StreamsResult } from './load.ts';

const load: StreamsLoad = JSON.parse(process.argv[2] ?? '{}');
const body = readFileSync(load.bodyPath);
const agent = new Agent({ keepAlive: true });
const delaysMs: number[] = [];
const failures: string[] = [];
const CONTENT = '"content":"';
const NANOS_PER_MS = 1e6;

/** Reads one stream and says what is wrong with it; null if nothing is. */
class StreamReader {
  readonly #hash = createHash('sha256');
  #rest = '';
  #events = 0;
  #isWhole = false;
  #isDone = false;

  read(text: string): string | null {
    const nowNanos = process.hrtime.bigint();
    const records = (this.#rest + text).split('\n\n');
    this.#rest = records.pop() ?? '';
    for (const record of records) {
      if (this.#isDone) return 'bytes after [DONE]';
      if (record === 'data: [DONE]') this.#isDone = true;
      else this.#readRecord(record, nowNanos);
    }
    return null;
  }

  end(): string | null {
    if (!this.#isDone || this.#rest !== '') return 'not whole';
    if (this.#events !== load.events) return `${this.#events} events`;
    return this.#isWhole ? null : 'other bytes than the upstream sent';
  }

  #readRecord(record: string, nowNanos: bigint): void {
    const at = record.indexOf(CONTENT) + CONTENT.length;
    if (record.includes('"finish_reason":"stop"')) {
      this.#isWhole = record.startsWith(this.#hash.digest('hex'), at);
      return;
    }
    this.#hash.update(record).update('\n\n');
    this.#events += 1;
    const sentNanos = BigInt(record.slice(at, record.indexOf(' ', at)));
    delaysMs.push(Number(nowNanos - sentNanos) / NANOS_PER_MS);
  }
}

function readStream(): Promise<void> {
  return new Promise((resolve) => {
    const fail = (why: string): void => {
      failures.push(why);
      resolve();
    };
    const headers = { ...load.headers, 'content-length': body.length };
    const outgoing = request(load.url, { method: 'POST', agent, headers }, (answer) => {
      if (answer.statusCode !== 200) fail(`status ${answer.statusCode}`);
      const reader = new StreamReader();
      // The bytes are ASCII, so no letter is split.
      answer.setEncoding('latin1').on('data', (text: string) => {
        const problem = reader.read(text);
        if (problem !== null) answer.destroy(new Error(problem));
      });
      answer.on('error', (error) => fail(error.message));
      answer.on('end', () => {
        const problem = reader.end();
        if (problem === null) resolve();
        else fail(problem);
      });
    });
    outgoing.on('error', (error) => fail(error.message));
    outgoing.end(body);
  });
}

// They begin one after the other, as real ones do: the events of all would else come at the same moment.
const running: Promise<void>[] = [];
const started = performance.now();
for (let index = 0; index < load.streams; index++) {
  const waitMs = started + (index * load.spreadMs) / load.streams - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  running.push(readStream());
}
await Promise.all(running);
agent.destroy();
const sorted = Float64Array.from(delaysMs).sort();
const result: StreamsResult = {
  events: sorted.length,
  failures: failures.length,
  firstFailures: failures.slice(0, 5),
  p50Ms: percentile(sorted, 0.5),
  p99Ms: percentile(sorted, 0.99),
  mostMs: percentile(sorted, 1),
};
console.log(JSON.stringify(result));
