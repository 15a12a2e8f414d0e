// Sends large requests at the same time, each on its own connection. Reads every response, even one that arrives before
// the request is complete: load generators count such a response as a failed connection.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { ClosedLoad, ClosedResult } from './load.ts';

const load: ClosedLoad = JSON.parse(process.argv[2] ?? '{}');
const body = readFileSync(load.bodyPath);

/** @returns the status, or 0 without a complete response. */
function send(): Promise<number> {
  return new Promise((resolve) => {
    const headers = { ...load.headers, 'content-length': String(body.length) };
    const outgoing = request(load.url, { method: 'POST', headers, agent: new Agent() }, (incoming) => {
      incoming.resume();
      incoming.on('end', () => {
        resolve(incoming.statusCode ?? 0);
        outgoing.destroy();
      });
      incoming.on('close', () => resolve(0));
    });
    outgoing.on('error', () => resolve(0));
    outgoing.end(body);
  });
}

const started = performance.now();
const statuses: number[] = [];
while (statuses.length < (load.requests ?? load.connections)) {
  statuses.push(...(await Promise.all(Array.from({ length: load.connections }, send))));
}
const counts: Record<string, { count: number }> = {};
for (const status of statuses) counts[status] = { count: (counts[status]?.count ?? 0) + 1 };
const responses = counts['200']?.count ?? 0;
const answer: ClosedResult = {
  responses,
  others: statuses.length - responses,
  seconds: (performance.now() - started) / 1000,
  statuses: JSON.stringify(counts),
};
console.log(JSON.stringify(answer));
