import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { parseAnswers, type RawAnswer, rawClient } from './raw-socket.ts';
import { MASTER_KEY } from './start-app.ts';

export type Framing = 'Content-Length' | 'chunks';
export const FRAMINGS: readonly Framing[] = ['Content-Length', 'chunks'];

export interface RawPost {
  /** Behind `/v1/`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
  readonly framing: Framing;
}

/** The head of a request; `framing` are the header lines that say how its body is sent. */
export function headOf(
  path: string,
  contentType: string,
  framing: string,
  key: string | null = MASTER_KEY,
): string {
  const authorization = key === null ? '' : `Authorization: Bearer ${key}\r\n`;
  return `POST /v1/${path} HTTP/1.1\r\nHost: x\r\n${authorization}Content-Type: ${contentType}\r\n${framing}\r\n\r\n`;
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** Sends a whole request over a connection of its own and gives the answer. */
export async function post(t: TestContext, port: number, request: RawPost): Promise<RawAnswer> {
  const { path, contentType, body, framing } = request;
  const client = rawClient(t, port);
  if (framing === 'Content-Length') {
    client.write(headOf(path, contentType, `Content-Length: ${body.length}`));
    client.write(body);
  } else {
    client.write(headOf(path, contentType, 'Transfer-Encoding: chunked'));
    for (let at = 0; at < body.length; at += 60_001) client.write(chunk(body.subarray(at, at + 60_001)));
    client.write('0\r\n\r\n');
  }
  const [answer] = await client.answers(1);
  assert.ok(answer);
  return answer;
}

/**
 * Sends the beginning of a request that is refused for it, and once the answer is there more than sockets hold, which only
 * goes out where the other side still reads. Gives the one answer; nothing may fail on the way.
 */
export async function postOn(t: TestContext, port: number, request: RawPost): Promise<RawAnswer> {
  const { path, contentType, body, framing } = request;
  const client = rawClient(t, port);
  const errors: unknown[] = [];
  client.socket.on('error', (error) => errors.push(error));
  const rest = Buffer.alloc(12 * 1024 * 1024);
  const isChunked = framing === 'chunks';
  const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length + rest.length}`;
  client.write(headOf(path, contentType, length));
  client.write(isChunked ? chunk(body) : body);
  await client.answers(1);
  client.write(isChunked ? Buffer.concat([chunk(rest), Buffer.from('0\r\n\r\n')]) : rest);
  await once(client.socket, 'end');
  await client.closed;
  assert.deepEqual(errors, []);
  assert.ok(client.socket.bytesWritten > body.length + rest.length);
  const [answer, ...others] = parseAnswers(client.received());
  assert.deepEqual(others, []);
  assert.ok(answer);
  return answer;
}
