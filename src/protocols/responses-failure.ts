import type { ErrorObject, HttpError } from '../errors.ts';
import { recordData, recordEvent, sseRecord } from '../http/sse.ts';
import { isRecord, parseJson } from '../json/value.ts';
import { CONTEXT_OVERFLOW, isContextOverflow } from './context-overflow.ts';

const SEQUENCE_NUMBER = /"sequence_number": ?(\d{1,9})/;

/** An event that tells of a failure. */
export interface FailureEvent {
  readonly type: 'error' | 'response.failed';
  readonly [member: string]: unknown;
}

/**
 * The events that end a Responses stream with an error (OpenAI API reference, Responses streaming events). Both are needed: Codex
 * reads the second, the SDKs throw at the first, of which older ones read only the object `error`.
 * @param response that fails, without its status and its error
 */
export function failureEvents(
  { message, type, param }: ErrorObject,
  code: string,
  response: Readonly<Record<string, unknown>>,
): readonly FailureEvent[] {
  const error = { type: type ?? 'server_error', code, message, param };
  const failed = { ...response, status: 'failed', error: { code, message } };
  return [
    { type: 'error', code, message, param, error },
    { type: 'response.failed', response: failed },
  ];
}

const NO_CREDIT = /^(insufficient_quota$|billing_|credit_)/;
const TOO_OFTEN = /^rate_limit/;

/**
 * The code by which Codex decides whether to repeat a request (codex-rs/codex-api/src/sse/responses.rs): not after
 * `context_length_exceeded`, `insufficient_quota` and `invalid_prompt`.
 */
export function failureCode(failure: HttpError): string {
  const { error } = failure;
  const names = [error.code ?? '', error.type ?? ''];
  if (names.some((name) => NO_CREDIT.test(name))) return 'insufficient_quota';
  if (names.some((name) => TOO_OFTEN.test(name))) return 'rate_limit_exceeded';
  if (isContextOverflow(failure)) return CONTEXT_OVERFLOW;
  return names.includes('invalid_request_error') ? 'invalid_prompt' : 'server_error';
}

/** A response of which nothing is known. */
export const UNKNOWN_RESPONSE = { object: 'response', output: [] } as const;

/** Ends a Responses stream that was broken off, and continues its response and its numbering. */
export class ResponsesFailure {
  #created: Buffer | null = null;
  #latest: Buffer | null = null;

  /** Notes a whole record that is passed on. */
  note(record: Buffer): void {
    this.#latest = record;
    if (this.#created === null && recordEvent(record) === 'response.created')
      this.#created = Buffer.from(record);
  }

  /** The records that report the error. */
  records(error: ErrorObject): Buffer {
    const next = this.#nextNumber();
    const code = error.code ?? error.type ?? 'server_error';
    const records = failureEvents(error, code, this.#response()).map((event, index) =>
      sseRecord(JSON.stringify({ ...event, sequence_number: next + index }), event.type),
    );
    return Buffer.concat(records);
  }

  #nextNumber(): number {
    const found = SEQUENCE_NUMBER.exec(this.#latest?.toString('latin1') ?? '');
    return found === null ? 0 : Number(found[1]) + 1;
  }

  #response(): Readonly<Record<string, unknown>> {
    const event = parseJson((this.#created && recordData(this.#created)) ?? '');
    const response = isRecord(event) ? event['response'] : null;
    return isRecord(response) ? response : UNKNOWN_RESPONSE;
  }
}
