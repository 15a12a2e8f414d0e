import { createHash } from 'node:crypto';
import type { JsonObject } from './fields.ts';
import type { FormFile } from './form.ts';

/** One request to the demo provider after routing: plain values, no sockets. */
export interface DemoCall {
  /** The JSON body, or a form's fields. */
  readonly body: JsonObject;
  /** The files of a form, in their order. */
  readonly files: readonly FormFile[];
  /** The model's name as it was asked for. */
  readonly model: string;
  /** 24 hexadecimal digits made from the body, so that the same request always gets the same ids. */
  readonly id: string;
  /** The time in Unix seconds. */
  readonly createdSeconds: number;
}

/** What an endpoint answers: a JSON value, finished bytes, or a stream that is pulled piece by piece. */
export type DemoAnswer =
  | { readonly kind: 'json'; readonly value: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly contentType: string }
  | {
      readonly kind: 'stream';
      readonly pieces: Iterable<string | Buffer>;
      readonly contentType: string;
      /** Whether to pause between the pieces, as a model does between tokens. */
      readonly isPaced: boolean;
    };

/** A JSON answer with status 200. */
export function json(value: unknown): DemoAnswer {
  return { kind: 'json', value };
}

/** An event stream whose records are paced like tokens. */
export function eventStream(pieces: Iterable<string>): DemoAnswer {
  return { kind: 'stream', pieces, contentType: 'text/event-stream; charset=utf-8', isPaced: true };
}

/** One `data:` record, as chat completions stream them (WHATWG HTML, server-sent events). */
export function dataRecord(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** One record with an `event:` line that repeats the value's `type`, as the Responses API streams them. */
export function typedRecord(value: { readonly type: string; readonly [member: string]: unknown }): string {
  return `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
}

/** The last record of a chat or completion stream. */
export const DONE_RECORD = 'data: [DONE]\n\n';

/** The first `length` hexadecimal digits of the SHA-256 of the given bytes or text. */
export function shortSha256(input: Buffer | string, length: number): string {
  return createHash('sha256').update(input).digest('hex').slice(0, length);
}
