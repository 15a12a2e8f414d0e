// Runs autocannon in a separate process, in a closed loop: each connection sends the next request after the last answer.
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { ClosedLoad, ClosedResult } from './load.ts';

const load: ClosedLoad = JSON.parse(process.argv[2] ?? '{}');
const result = await autocannon({
  url: load.url,
  method: 'POST',
  headers: { ...load.headers },
  connections: load.connections,
  timeout: 60,
  body: readFileSync(load.bodyPath),
  ...(load.requests === undefined ? { duration: load.seconds ?? 1 } : { amount: load.requests }),
});
const answer: ClosedResult = {
  responses: result['2xx'],
  others: result.non2xx + result.errors,
  seconds: result.duration,
  statuses: JSON.stringify(result.statusCodeStats),
};
console.log(JSON.stringify(answer));
