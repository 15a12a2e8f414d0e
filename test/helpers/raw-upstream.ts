import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.ts';
import { closeAfter } from './teardown.ts';

export interface RawUpstream {
  /** `http://127.0.0.1:PORT`, or `https://localhost:PORT` */
  readonly origin: string;
  /** Heads and bodies of the requests that arrived whole, oldest first. */
  readonly requests: readonly RawRequest[];
  /** Connections that were ever opened; below TLS, where there is TLS. */
  readonly connections: readonly Socket[];
  /** What is done with the next requests. */
  onRequest: OnRequest;
  /** What is done with bytes as they arrive. */
  onBytes: OnBytes;
  /** Accepts no more connections. */
  stopListening(): void;
}

export interface RawRequest {
  readonly head: string;
  readonly body: Buffer;
  /** The index of its connection. */
  readonly connection: number;
}

/** Answers a request with whatever bytes it likes. `index` counts the requests of all connections from 0 on. */
export type OnRequest = (socket: Socket, index: number, request: RawRequest) => void;

/** Sees the bytes of a connection's next request: all that came since its last whole request. */
export type OnBytes = (connection: number, bytes: Buffer) => void;

export interface RawUpstreamOptions {
  /** With a certificate, it speaks TLS. */
  readonly tls?: Certificate | null;
  /** What is done with a connection before its first request. */
  readonly onConnection?: (socket: Socket) => void;
}

/** A provider that writes bytes, well-formed or not; it ends with the test. */
export async function startRawUpstream(
  t: TestContext,
  onRequest: OnRequest,
  { tls = null, onConnection = () => {} }: RawUpstreamOptions = {},
): Promise<RawUpstream> {
  const requests: RawRequest[] = [];
  const connections: Socket[] = [];
  const secureContext = tls === null ? null : createSecureContext(tls);
  const server = createServer({ noDelay: true }, (connected) => {
    const connection = connections.push(connected) - 1;
    const socket =
      secureContext === null ? connected : new TLSSocket(connected, { isServer: true, secureContext });
    let pending = Buffer.alloc(0);
    for (const end of [connected, socket]) end.on('error', () => {});
    onConnection(connected);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      upstream.onBytes(connection, pending);
      for (;;) {
        const request = takeRequest(pending, connection);
        if (request === null) return;
        pending = pending.subarray(request.length);
        requests.push(request);
        upstream.onRequest(socket, requests.length - 1, request);
      }
    });
  });
  const upstream: RawUpstream & { origin: string } = {
    origin: '',
    requests,
    connections,
    onRequest,
    onBytes: () => {},
    stopListening: () => void server.close(),
  };
  await new Promise<void>((resolve) => server.listen(0, tls === null ? '127.0.0.1' : 'localhost', resolve));
  closeAfter(t, async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  upstream.origin = tls === null ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
  return upstream;
}

function takeRequest(bytes: Buffer, connection: number): (RawRequest & { length: number }) | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const start = headEnd + 4;
  if (/^transfer-encoding: *chunked/im.test(head)) {
    const chunked = takeChunks(bytes.subarray(start));
    return chunked === null ? null : { head, body: chunked.body, connection, length: start + chunked.length };
  }
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (bytes.length < start + length) return null;
  const body = bytes.subarray(start, start + length);
  return { head, body, connection, length: start + length };
}

/** The content of a chunked body, if it is whole, and its length on the wire. */
function takeChunks(bytes: Buffer): { body: Buffer; length: number } | null {
  const contents: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return null;
    if (size === 0) return { body: Buffer.concat(contents), length: end };
    contents.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = end;
  }
}
