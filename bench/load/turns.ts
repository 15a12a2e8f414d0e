// Loads several servers by turns from a separate process: a batch of requests for the first, one for the second, and so on,
// many times. A burst of other work on the machine, which is longer than a batch, so meets all of them alike.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpuMicrosOf } from '../processes.ts';
import type { TurnsLoad, TurnsResult } from './load.ts';

const load: TurnsLoad = JSON.parse(process.argv[2] ?? '{}');
const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
const results: TurnsResult[] = load.targets.map(() => ({ cpuMicros: 0, seconds: 0, responses: 0 }));
const targets = load.targets.map((target) => {
  const body = readFileSync(target.bodyPath);
  return { ...target, body, headers: { ...target.headers, 'content-length': body.length } };
});
type Target = (typeof targets)[number];

function send({ url, headers, body }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent, headers }, (answer) => {
      const { statusCode } = answer;
      answer.resume().on('error', reject);
      answer.on('end', () => {
        if (statusCode === 200) resolve();
        else reject(new Error(`${url} answered with status ${statusCode}`));
      });
    });
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

/** The server that is charged for the CPU time since `sinceMicros`: what it does after its last answer is its cost too. */
const charged = new Map<number, { result: TurnsResult; sinceMicros: number }>();

function charge(pid: number, next: TurnsResult): void {
  const cpuMicros = cpuMicrosOf(pid);
  const last = charged.get(pid);
  if (last !== undefined) last.result.cpuMicros += cpuMicros - last.sinceMicros;
  charged.set(pid, { result: next, sinceMicros: cpuMicros });
}

for (let turn = 0; turn < load.turns; turn++) {
  for (let place = 0; place < targets.length; place++) {
    const index = (turn + place) % targets.length;
    const [target, result] = [targets[index], results[index]];
    if (target === undefined || result === undefined) continue;
    charge(target.pid, result);
    const started = performance.now();
    await sendBatch(target);
    result.seconds += (performance.now() - started) / 1000;
    result.responses += load.requests;
  }
}
for (const [pid, { result }] of charged) charge(pid, result);
agent.destroy();
console.log(JSON.stringify(results));
