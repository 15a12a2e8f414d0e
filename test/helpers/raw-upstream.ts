import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { closeAfter } from './teardown.ts';

export interface RawUpstream {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Heads and bodies of the requests that arrived whole, oldest first. */
  readonly requests: readonly RawRequest[];
  /** Connections that were ever opened. */
  readonly connections: readonly Socket[];
  /** What is done with the next requests. */
  onRequest: OnRequest;
}

export interface RawRequest {
  readonly head: string;
  readonly body: Buffer;
}

/** Answers a request with whatever bytes it likes. `index` counts the requests of all connections from 0 on. */
export type OnRequest = (socket: Socket, index: number, request: RawRequest) => void;

/** A provider that writes bytes, well-formed or not; it ends with the test. */
export async function startRawUpstream(
  t: TestContext,
  onRequest: OnRequest,
  onConnection: (socket: Socket) => void = () => {},
): Promise<RawUpstream> {
  const requests: RawRequest[] = [];
  const connections: Socket[] = [];
  const upstream = { origin: '', requests, connections, onRequest };
  const server = createServer({ noDelay: true }, (socket) => {
    connections.push(socket);
    let pending = Buffer.alloc(0);
    socket.on('error', () => {});
    onConnection(socket);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const request = takeRequest(pending);
        if (request === null) return;
        pending = pending.subarray(request.length);
        requests.push(request);
        upstream.onRequest(socket, requests.length - 1, request);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeAfter(t, async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  upstream.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return upstream;
}

function takeRequest(bytes: Buffer): (RawRequest & { length: number }) | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const start = headEnd + 4;
  if (bytes.length < start + length) return null;
  return { head, body: bytes.subarray(start, start + length), length: start + length };
}
