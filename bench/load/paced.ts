// Sends requests from a separate process, in an open loop: they start at fixed times, whether or not the earlier ones are
// answered. A server that stalls therefore delays all requests of that time. (autocannon sends the requests of one second
// at once.)
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { percentile } from '../measurement.ts';
import type { PacedLoad, PacedResult } from './load.ts';

const load: PacedLoad = JSON.parse(process.argv[2] ?? '{}');
const body = readFileSync(load.bodyPath);
const target = new URL(load.url);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const headers = { ...load.headers, 'content-length': body.length };
const latenciesMs: number[] = [];
const statuses = new Map<number | undefined, number>();
let others = 0;

function send(): Promise<void> {
  const sentMs = performance.now();
  return new Promise((resolve) => {
    const fail = (): void => {
      others += 1;
      resolve();
    };
    const outgoing = request(target, { method: 'POST', agent, headers, timeout: 30_000 }, (answer) => {
      answer.resume().on('end', () => {
        statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
        if (answer.statusCode === 200) latenciesMs.push(performance.now() - sentMs);
        else others += 1;
        resolve();
      });
      answer.on('error', fail);
    });
    outgoing.on('timeout', () => outgoing.destroy()).on('error', fail);
    outgoing.end(body);
  });
}

const count = Math.round(load.perSecond * load.seconds);
const started = performance.now();
const running: Promise<void>[] = [];
for (let index = 0; index < count; index++) {
  const waitMs = started + (index * 1000) / load.perSecond - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  running.push(send());
}
await Promise.all(running);
agent.destroy();
const sorted = latenciesMs.toSorted((a, b) => a - b);
const answer: PacedResult = {
  responses: sorted.length,
  others,
  statuses: JSON.stringify([...statuses]),
  p50Ms: percentile(sorted, 0.5),
  p99Ms: percentile(sorted, 0.99),
};
console.log(JSON.stringify(answer));
