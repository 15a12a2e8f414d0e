import { createHash } from 'node:crypto';
import { sseRecord } from '../http/sse.ts';
import type { JsonObject } from './fields.ts';

/** One request to the demo provider, as its endpoint sees it: plain values, no sockets. */
export interface DemoCall {
  /** The JSON body, or the fields of a form. */
  readonly body: JsonObject;
  /** The bytes of a form's file; null if there is none. */
  readonly file: Buffer | null;
  /** The model that the request names, or the endpoint's default. */
  readonly model: string;
  /** 24 hexadecimal digits made from the body, so that the same request always gets the same ids. */
  readonly id: string;
  /** The time in Unix seconds. */
  readonly createdSeconds: number;
}

/** The answer of an endpoint; its status is 200. */
export interface DemoAnswer {
  readonly contentType: string;
  /** All bytes, or the records of a stream, which are made one by one as the client takes them. */
  readonly body: Buffer | Iterable<string | Buffer>;
}

/** A JSON answer. */
export function json(value: unknown): DemoAnswer {
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) };
}

/** A stream of server-sent events. */
export function eventStream(records: Iterable<Buffer>): DemoAnswer {
  return { contentType: 'text/event-stream; charset=utf-8', body: records };
}

/** A `data:` record, as chat completions stream them. */
export function dataRecord(value: unknown): Buffer {
  return sseRecord(JSON.stringify(value));
}

/** The last record of a chat stream. */
export const DONE_RECORD = sseRecord('[DONE]');

/** The first `length` hexadecimal digits of the SHA-256 of bytes or text. */
export function shortSha256(input: Buffer | string, length: number): string {
  return createHash('sha256').update(input).digest('hex').slice(0, length);
}
