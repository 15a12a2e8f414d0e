import { request } from 'node:http';
import { Duplex } from 'node:stream';
import type { Outcome } from './via-parser.ts';

/** What node:http's client makes of the bytes of a connection that ends after them. */
export function viaNode(bytes: Buffer, method = 'POST'): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const outgoing = request({ createConnection: () => socket, method, path: '/' });
    let isOver = false;
    const settle = (outcome: Outcome): void => {
      if (isOver) return;
      isOver = true;
      outgoing.destroy();
      resolve(outcome);
    };
    let isComplete = (): boolean => false;
    // It fails for what comes after a whole response too.
    outgoing.on('error', () => isComplete() || settle({ kind: 'refused', reason: '' }));
    outgoing.on('upgrade', () => settle({ kind: 'refused', reason: 'upgrade' }));
    outgoing.on('close', () => isComplete() || settle({ kind: 'refused', reason: 'close' }));
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      isComplete = () => response.complete;
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => settle({ kind: 'refused', reason: '' }));
      response.on('end', () => {
        const { statusCode: status = 0, headers, complete } = response;
        const body = Buffer.concat(chunks).toString('latin1');
        settle(complete ? { kind: 'whole', status, headers, body } : { kind: 'refused', reason: 'cut' });
      });
    });
    outgoing.end();
    setImmediate(() => {
      socket.push(bytes);
      socket.push(null);
    });
  });
}
