// Loads several servers by turns from a separate process: a batch of requests for the first, one for the second, and so on,
// many times. Other work of the machine mostly lasts longer than a batch, so that it slows all of them alike.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpuMicrosOf } from '../processes.ts';
import type { TurnsLoad, TurnsResult } from './load.ts';

const TIMEOUT_MS = 60_000;

const load: TurnsLoad = JSON.parse(process.argv[2] ?? '{}');
const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
const results: TurnsResult[] = load.targets.map(() => ({ cpuMicros: 0, responses: 0 }));
const targets = load.targets.map((target) => {
  const body = readFileSync(target.bodyPath);
  return { ...target, body, headers: { ...target.headers, 'content-length': body.length } };
});
type Target = (typeof targets)[number];

function send({ url, headers, body }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (answer) => {
      const { statusCode } = answer;
      answer.resume().on('error', reject);
      answer.on('end', () => {
        if (statusCode === 200) resolve();
        else reject(new Error(`${url} answered with status ${statusCode}`));
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${url} is silent`)));
    outgoing.on('error', reject).end(body);
  });
}

async function sendBatch(target: Target): Promise<void> {
  let left = load.requests;
  const sendSome = async (): Promise<void> => {
    while (left-- > 0) await send(target);
  };
  await Promise.all(Array.from({ length: load.connections }, sendSome));
}

/** By server, the target that pays for its CPU time until the next batch there: what follows the last answer is its cost too. */
const charged = new Map<number, { result: TurnsResult; sinceMicros: number }>();

function charge(pid: number, next: TurnsResult): void {
  const cpuMicros = cpuMicrosOf(pid);
  const last = charged.get(pid);
  if (last !== undefined) last.result.cpuMicros += cpuMicros - last.sinceMicros;
  charged.set(pid, { result: next, sinceMicros: cpuMicros });
}

for (let turn = 0; turn < load.turns; turn++) {
  for (let place = 0; place < targets.length; place++) {
    // Each follows each of its neighbours equally often, and so inherits as much garbage from one as from the other.
    const index = turn % 2 === 0 ? place : targets.length - 1 - place;
    const [target, result] = [targets[index], results[index]];
    if (target === undefined || result === undefined) continue;
    charge(target.pid, result);
    await sendBatch(target);
    result.responses += load.requests;
  }
}
for (const [pid, { result }] of charged) charge(pid, result);
agent.destroy();
console.log(JSON.stringify(results));
