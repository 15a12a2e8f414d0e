import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** One HTTP/1.1 answer as it stood on the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface RawClient {
  readonly socket: Socket;
  /** Everything that was received so far. */
  readonly received: () => Buffer;
  /** Resolves when the connection is closed, with everything received; however it was closed. */
  readonly closed: Promise<Buffer>;
  write(bytes: string | Buffer): void;
  /** Resolves once so many final answers are there whole (1xx are not counted). */
  answers(count: number): Promise<RawAnswer[]>;
  /** Resolves once the text was received. */
  until(text: string): Promise<Buffer>;
}

const LIMIT_MS = 8_000;

/** A bare connection to a port of the loopback address; it ends with the test. Waits are bounded. */
export function rawClient(t: TestContext, port: number): RawClient {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const chunks: Buffer[] = [];
  const received = (): Buffer => Buffer.concat(chunks);
  const closed = new Promise<Buffer>((resolve) => socket.on('close', () => resolve(received())));
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  t.after(() => {
    socket.destroy();
  });
  const wait = <T>(what: string, find: () => T | null): Promise<T> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        socket.off('data', look).off('close', look);
      };
      const look = (): void => {
        const found = find();
        if (found === null && !socket.closed) return;
        stop();
        if (found !== null) resolve(found);
        else
          reject(
            new Error(`closed before ${what}; received: ${received().toString('latin1').slice(0, 2000)}`),
          );
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`no ${what} in time; received: ${received().toString('latin1').slice(0, 2000)}`));
      }, LIMIT_MS);
      socket.on('data', look).on('close', look);
      look();
    });
  return {
    socket,
    received,
    closed,
    write: (bytes) => void socket.write(bytes),
    answers: (count) =>
      wait(`${count} answers`, () => {
        const found = parseAnswers(received());
        return found.length >= count ? found : null;
      }),
    until: (text) => wait(JSON.stringify(text), () => (received().includes(text) ? received() : null)),
  };
}

/** Sends bytes on a connection of its own and gives what came back once the server has closed it. */
export async function sendRaw(t: TestContext, port: number, bytes: string | Buffer): Promise<Buffer> {
  const client = rawClient(t, port);
  client.write(bytes);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new Error(`not closed in time; received: ${client.received().toString('latin1').slice(0, 2000)}`),
        ),
      LIMIT_MS,
    );
  });
  return Promise.race([client.closed, late]).finally(() => clearTimeout(timer));
}

/** The whole final answers at the beginning of a byte stream; 1xx are passed over. @throws Error where it is no HTTP. */
export function parseAnswers(bytes: Buffer): RawAnswer[] {
  const found: RawAnswer[] = [];
  let rest = bytes;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) return found;
    const [statusLine = '', ...lines] = rest.toString('latin1', 0, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})( |$)/.exec(statusLine)?.[1]);
    if (!Number.isInteger(status)) throw new Error(`not an answer: ${statusLine.slice(0, 200)}`);
    rest = rest.subarray(headEnd + 4);
    if (status < 200) continue;
    const headers = toHeaders(lines);
    const read = readBody(rest, headers, status);
    if (read === null) return found;
    found.push({ status, headers, body: read.body });
    rest = read.rest;
  }
}

function toHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function readBody(
  bytes: Buffer,
  headers: ReadonlyMap<string, string>,
  status: number,
): { body: Buffer; rest: Buffer } | null {
  if (status === 204 || status === 304) return { body: Buffer.alloc(0), rest: bytes };
  if (headers.get('transfer-encoding') === 'chunked') return readChunked(bytes);
  const length = Number(headers.get('content-length') ?? 0);
  if (bytes.length < length) return null;
  return { body: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

function readChunked(bytes: Buffer): { body: Buffer; rest: Buffer } | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const start = lineEnd + 2;
    if (bytes.length < start + size + 2) return null;
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
    if (size === 0) return { body: Buffer.concat(parts), rest: bytes.subarray(at) };
  }
}
