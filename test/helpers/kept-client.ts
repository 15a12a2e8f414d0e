import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { headOf } from './raw-post.ts';
import { parseAnswers, type RawAnswer } from './raw-socket.ts';

/** A connection that is used for one request after the other. */
export interface KeptClient {
  /** Sends JSON to `/v1/PATH` and resolves with the whole answer. Rejects if the connection closes before its end. */
  post(path: string, body: object): Promise<RawAnswer>;
  readonly isOpen: () => boolean;
}

/** Opens a connection to a server on loopback; it ends with the test. It costs less CPU time than `node:http`. */
export function keptClient(t: TestContext, port: number): KeptClient {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received = Buffer.alloc(0);
  let running: { resolve(answer: RawAnswer): void; reject(error: Error): void } | null = null;
  const fail = (why: string): void => {
    running?.reject(new Error(`${why}; received: ${received.toString('latin1').slice(0, 2000)}`));
    running = null;
  };
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const [answer, ...others] = parseAnswers(received);
    if (answer === undefined) return;
    if (others.length > 0) return fail('more than one answer');
    received = Buffer.alloc(0);
    running?.resolve(answer);
    running = null;
  });
  socket
    .on('error', () => {})
    .on('close', () => fail('the connection was closed before the end of the answer'));
  t.after(() => {
    socket.destroy();
  });
  return {
    isOpen: () => !socket.destroyed,
    post(path, body) {
      assert.equal(running, null, 'one request at a time');
      const text = JSON.stringify(body);
      socket.write(headOf(path, 'application/json', `Content-Length: ${Buffer.byteLength(text)}`) + text);
      return new Promise((resolve, reject) => {
        running = { resolve, reject };
      });
    },
  };
}

/** Does a numbered work `count` times: each of the workers takes the next number once it has done the last. */
export async function shareWork<Worker>(
  workers: readonly Worker[],
  count: number,
  work: (index: number, worker: Worker) => Promise<void>,
): Promise<void> {
  let next = 0;
  const workOn = async (worker: Worker): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index, worker);
    }
  };
  await Promise.all(workers.map(workOn));
}
