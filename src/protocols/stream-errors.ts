import type { ErrorObject } from '../errors.ts';
import { bareLines, recordData, recordEvent } from '../http/sse.ts';
import { isRecord } from '../json/value.ts';
import type { StreamEnd } from './stream-end.ts';
import { findErrorObject, parseErrorJson } from './upstream-errors.ts';

/** The first letter of `event:`. */
const LETTER_E = 0x65;
const OPEN_BRACE = 0x7b;

/**
 * The error in a record that clients cannot read as it is: of any dialect, as data or as bare JSON. Not the error events of the
 * Responses API, which its clients read. Parses only what could be an error, because every record passes here.
 */
export function findStreamError(record: Buffer, streamEnd: StreamEnd): ErrorObject | null {
  const isTyped = record[0] === LETTER_E && recordEvent(record) === 'error';
  if (!isTyped && !record.includes('"error"')) return null;
  if (streamEnd === 'responses' && recordEvent(record) !== null) return null;
  const value = readValue(record);
  return findErrorObject(value) ?? (isTyped ? findErrorObject({ error: value }) : null);
}

/** The JSON of a record: its first bare line, its data, or all of its lines together. */
function readValue(record: Buffer): unknown {
  const text = bareLines(record)[0] ?? recordData(record);
  if (text === null) return undefined;
  return parseErrorJson(text) ?? (record[0] === OPEN_BRACE ? parseErrorJson(record) : undefined);
}

/** Codes of the Responses API for what is wrong with the request (OpenAI API reference, `ResponseErrorCode`). */
const CALLERS_CODE = /^invalid_(?!api_key)|image|_policy|^context_length_exceeded$/;

/**
 * The error in an `error` or `response.failed` event of a Responses stream. Such errors have a code but often no type, so their
 * type is made from the code.
 */
export function findResponsesError(record: Buffer): ErrorObject | null {
  if (!record.includes('"error"') && !record.includes('event: error')) return null;
  const value = parseErrorJson(recordData(record) ?? '');
  if (!isRecord(value)) return null;
  const type = recordEvent(record) ?? value['type'];
  const error =
    type === 'error' ? errorEvent(value) : type === 'response.failed' ? failedResponse(value) : null;
  return error === null ? null : { ...error, type: error.type ?? typeFor(error.code) };
}

/** The error stands in the event itself, in `error`, or in both. */
function errorEvent({ type: _type, ...event }: Record<string, unknown>): ErrorObject | null {
  return findErrorObject(event) ?? findErrorObject({ error: event });
}

function failedResponse({ response }: Record<string, unknown>): ErrorObject | null {
  return isRecord(response) ? findErrorObject(response) : null;
}

function typeFor(code: string | null): string {
  return CALLERS_CODE.test(code ?? '') ? 'invalid_request_error' : 'server_error';
}
