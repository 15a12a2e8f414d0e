import { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import {
  compilePatterns,
  firstMatch,
  JsonScanError,
  readString,
  scanJson,
  splice,
} from '../http/json-scan.ts';
import { parseJson } from '../http/json-value.ts';
import { completionToEvents } from '../protocols/completions.ts';
import { convertEmbeddings, normaliseEmbeddings } from '../protocols/embeddings.ts';
import { EventStream } from '../protocols/event-stream.ts';
import { isEventStream, isJsonType, responseHeadersFor } from '../protocols/passed-headers.ts';
import { findErrorObject } from '../protocols/upstream-errors.ts';
import type { TranslatedAnswer } from '../providers/adapter.ts';
import { readBounded } from '../providers/read-bounded.ts';
import type { Endpoint } from './endpoint.ts';
import { cleanError, type GatewayAnswer, reachedList } from './upstream-answer.ts';

/** What the client gets: bytes that are all there, or a stream. `headers` is a flat list. */
export type ShapedAnswer =
  | { readonly kind: 'bytes'; readonly status: number; readonly headers: string[]; readonly body: Buffer }
  | {
      readonly kind: 'stream';
      readonly status: number;
      readonly headers: string[];
      readonly body: Readable;
      readonly transform: BodyTransform | null;
    };

export interface ShapeOptions {
  readonly endpoint: Endpoint;
  /** The model id that the client asked for. */
  readonly model: string;
  /** The client asked for an event stream, and for its usage. */
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly encodingFormat: 'float' | 'base64' | null;
}

/** JSON answers up to this size are looked at as a whole; a larger one passes as it is, if nothing in it must differ. */
const WHOLE_BYTES = 1024 * 1024;
const CHANGED_BYTES = 32 * 1024 * 1024;
/** An answer with one of these is one, although it may tell of an error as well (a failed `response` does). */
const CONTENTS = ['choices', 'output', 'data', 'results'] as const;
const PATTERNS = compilePatterns(['model', 'error', ...CONTENTS]);

/**
 * Decides, once per answer, what of it must differ for the client, and makes it so.
 * @throws HttpError `upstream_invalid_response` for an answer that no client could read, the upstream's own error where
 * a success turns out to hold one.
 */
export async function shapeAnswer(answer: GatewayAnswer, options: ShapeOptions): Promise<ShapedAnswer> {
  const { endpoint } = options;
  const contentType = answer.headers['content-type'];
  const isPlain = (answer.headers['content-encoding'] ?? 'identity') === 'identity';
  if (isEventStream(contentType)) return isPlain ? eventStream(answer, options) : await passed(answer);
  if (endpoint.answer === 'binary' || answer.status === 204) return await passed(answer);
  if (!isPlain) {
    if (needsRename(answer, options) || options.encodingFormat !== null) {
      throw invalid('The provider sent a compressed answer unasked.');
    }
    return await passed(answer);
  }
  if (!isJsonType(contentType)) throw invalid('The provider answered with something that is not JSON.');
  return options.encodingFormat === null ? jsonAnswer(answer, options) : vectorsAnswer(answer, options);
}

/** Reads an answer whole and puts it into the client's form. @throws HttpError `upstream_invalid_response`. */
export async function translateAnswer(
  answer: GatewayAnswer,
  translate: (body: Buffer, contentType: string) => TranslatedAnswer,
): Promise<ShapedAnswer> {
  const { headers } = answer;
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw invalid('The provider sent a compressed answer unasked.');
  }
  const read = await readBounded(answer.body, CHANGED_BYTES);
  if (!read.whole) {
    answer.body.destroy();
    throw invalid('The answer of the provider is too large.');
  }
  const { contentType, body } = translate(read.bytes, String(headers['content-type'] ?? ''));
  const passedOn = responseHeadersFor({ 'x-request-id': headers['x-request-id'] }, false);
  const all = ['content-type', contentType, ...passedOn, ...reachedList(answer.target, answer.attempts)];
  return { kind: 'bytes', status: 200, headers: all, body };
}

function needsRename(answer: GatewayAnswer, options: ShapeOptions): boolean {
  return options.endpoint.namesModel && answer.target.upstreamModel !== options.model;
}

/** Waits for the first byte: as long as nothing was sent, an upstream that breaks off is answered with an error. */
async function passed(answer: GatewayAnswer, keepLength = true): Promise<ShapedAnswer> {
  const first = await readBounded(answer.body, 0);
  if (!first.whole) return stream(answer, responseHeadersFor(answer.headers, keepLength), null);
  const headers = [
    ...responseHeadersFor(answer.headers, false),
    ...reachedList(answer.target, answer.attempts),
  ];
  return { kind: 'bytes', status: answer.status, headers, body: first.bytes };
}

function eventStream(answer: GatewayAnswer, options: ShapeOptions): ShapedAnswer {
  const { target } = answer;
  const transform = new EventStream({
    model: needsRename(answer, options) ? options.model : null,
    streamEnd: options.endpoint.streamEnd,
    clean: (error) => cleanError(error, target.provider),
  });
  // Proxies in front (nginx) would hold events back in their buffers without this.
  const headers = [...responseHeadersFor(answer.headers, false), 'x-accel-buffering', 'no'];
  return stream(answer, headers, transform);
}

function stream(answer: GatewayAnswer, headers: string[], transform: BodyTransform | null): ShapedAnswer {
  const all = [...headers, ...reachedList(answer.target, answer.attempts)];
  return { kind: 'stream', status: answer.status, headers: all, body: answer.body, transform };
}

async function jsonAnswer(answer: GatewayAnswer, options: ShapeOptions): Promise<ShapedAnswer> {
  // Where an endpoint has no streams of a known form, the answer that came is better than none.
  const mustStream = options.stream && options.endpoint.streamEnd !== null;
  const mayPass = !mustStream && !needsRename(answer, options);
  const read = await readBounded(answer.body, mayPass ? WHOLE_BYTES : CHANGED_BYTES);
  if (!read.whole) {
    if (mayPass) return stream(answer, responseHeadersFor(answer.headers, true), null);
    answer.body.destroy();
    throw invalid('The answer of the provider is too large to be changed.');
  }
  const body = checkJson(read.bytes, answer, options);
  const headers = [
    ...responseHeadersFor(answer.headers, false),
    ...reachedList(answer.target, answer.attempts),
  ];
  if (!mustStream) return { kind: 'bytes', status: answer.status, headers, body };
  const events =
    options.endpoint.streamEnd === 'chat' ? completionToEvents(parseJson(body), options.includeUsage) : null;
  if (events === null) throw invalid('The provider answered a streaming request without a stream.');
  return { kind: 'bytes', status: 200, headers: asEventStream(headers), body: events };
}

/** Vectors in the form the client asked for. Of an answer of any size, one vector at a time is held. */
async function vectorsAnswer(answer: GatewayAnswer, options: ShapeOptions): Promise<ShapedAnswer> {
  const conversion = {
    encoding: options.encodingFormat ?? 'float',
    model: needsRename(answer, options) ? options.model : null,
  };
  const read = await readBounded(answer.body, WHOLE_BYTES);
  if (!read.whole) {
    const body = Readable.from(convertEmbeddings(answer.body, conversion), { objectMode: false });
    return passed({ ...answer, body }, false);
  }
  const checked = checkJson(read.bytes, answer, options);
  const headers = [
    ...responseHeadersFor(answer.headers, false),
    ...reachedList(answer.target, answer.attempts),
  ];
  const body = normaliseEmbeddings(checked, conversion) ?? checked;
  return { kind: 'bytes', status: answer.status, headers, body };
}

/** A readable JSON answer with the model's asked-for name, or the error that it is. */
function checkJson(body: Buffer, answer: GatewayAnswer, options: ShapeOptions): Buffer {
  if (!needsRename(answer, options) && isPlainObject(body)) return body;
  const scan = scanAnswer(body);
  const error = firstMatch(scan, 'error');
  const hasContent = CONTENTS.some((name) => firstMatch(scan, name) !== undefined);
  const mayBeError = scan.kind === 'array' || (error !== undefined && error.kind !== 'null');
  const hidden = mayBeError && !hasContent ? findHiddenError(body, answer) : null;
  if (hidden !== null) throw hidden;
  const model = firstMatch(scan, 'model');
  const isAsked = model?.kind !== 'string' || readString(body, model) === options.model;
  if (model === undefined || isAsked || !needsRename(answer, options)) return body;
  const bytes = Buffer.from(JSON.stringify(options.model));
  return Buffer.concat(splice(body, [{ start: model.start, end: model.end, bytes }]));
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const ERROR_NAME = '"error"';

/** True of nearly every answer: an object from its first byte to its last that does not speak of an error. */
function isPlainObject(body: Buffer): boolean {
  let end = body.length - 1;
  while (end > 0 && (body[end] ?? 0) <= 0x20) end -= 1;
  return body[0] === OPEN_BRACE && body[end] === CLOSE_BRACE && !body.includes(ERROR_NAME);
}

function scanAnswer(body: Buffer): ReturnType<typeof scanJson> {
  try {
    return scanJson(body, PATTERNS);
  } catch (error) {
    if (error instanceof JsonScanError && error.reason !== 'invalid_json') {
      throw invalid('The answer of the provider is nested too deeply or too large.');
    }
    throw invalid('The provider answered with broken JSON.');
  }
}

/** Some gateways report errors with status 200; the status is then in the error's code (OpenRouter). */
function findHiddenError(body: Buffer, answer: GatewayAnswer): HttpError | null {
  const error = findErrorObject(parseJson(body));
  if (error === null || answer.status !== 200) return null;
  const code = Number(error.code);
  const status =
    Number.isInteger(code) && code >= 400 && code < 600 && code !== 401 && code !== 403 ? code : 502;
  return HttpError.fromUpstream(status, cleanError(error, answer.target.provider));
}

function asEventStream(headers: readonly string[]): string[] {
  const changed = ['content-type', 'text/event-stream', 'cache-control', 'no-cache'];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name !== 'content-type' && name !== 'cache-control') changed.push(name, headers[index + 1] ?? '');
  }
  return changed;
}

function invalid(message: string): HttpError {
  return new HttpError('upstream_invalid_response', message);
}
