import { HttpError } from '../errors.ts';
import { type BodySource, bodyOf, piecesOf } from '../http/body-source.ts';
import type { AnswerEnd, BodyTransform } from '../http/body-transform.ts';
import { isEventStream, isJsonType } from '../http/content-type.ts';
import type { HeaderList } from '../http/headers.ts';
import { type InflightLease, overloaded } from '../inflight-budget.ts';
import { firstMatch, type JsonScan } from '../json/matches.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJson } from '../json/scan.ts';
import { splice } from '../json/splice.ts';
import { JsonScanError } from '../json/tokens.ts';
import { parseJson } from '../json/value.ts';
import { USAGE_PATTERNS } from '../protocols/answer-meter.ts';
import { convertEmbeddings, normaliseEmbeddings } from '../protocols/embeddings.ts';
import { JsonModelRenamer } from '../protocols/json-model.ts';
import { bodilessHeadersFor, responseHeadersFor } from '../protocols/passed-headers.ts';
import type { RenderedAnswer } from '../protocols/transcription.ts';
import { findErrorObject } from '../protocols/upstream-errors.ts';
import { type BoundedRead, readBounded } from '../providers/read-bounded.ts';
import { invalidResponse } from '../providers/upstream-failures.ts';
import { redactBytes } from '../redaction.ts';
import { clientStream, wholeAsEvents } from './client-stream.ts';
import { type HeldResponse, needsRename, type ShapeOptions } from './held-response.ts';
import { MeteredBody } from './metered-body.ts';
import { ReportedError } from './reported-error.ts';
import { openStream } from './stream-opening.ts';

/** What the client gets: a complete body, or a stream of bytes that `transform` changes while they pass. */
export type ShapedAnswer = {
  readonly status: number;
  readonly headers: HeaderList;
} & (
  | { readonly kind: 'bytes'; readonly body: Buffer }
  | { readonly kind: 'stream'; readonly body: BodySource; readonly transform: BodyTransform | null }
);

/** A call's answer. The code that sends it owns its body, and settles it when the last byte is sent. */
export class Answer {
  readonly shaped: ShapedAnswer;
  readonly #lease: InflightLease;
  readonly #onEnd: (end: AnswerEnd) => void;

  /** @param onEnd is told how the answer ended; only of a stream, because a complete body has ended already */
  constructor(shaped: ShapedAnswer, lease: InflightLease, onEnd: (end: AnswerEnd) => void) {
    this.shaped = shaped;
    this.#lease = lease;
    this.#onEnd = onEnd;
  }

  /** Tells how the answer ended, and releases its memory. */
  settle(end: AnswerEnd): void {
    this.#onEnd(end);
    this.release();
  }

  /** Releases the memory that the answer holds. To call it again does nothing. */
  release(): void {
    this.#lease.release();
  }
}

/** JSON responses up to this size are read whole; a larger response is streamed if it need not be changed as a whole. */
const WHOLE_BYTES = 1024 * 1024;
/** The largest response that is changed as a whole. */
const CHANGED_BYTES = 32 * 1024 * 1024;
/**
 * With one of these members a response counts as a success, even if it also carries an error (a failed `response` does).
 */
const CONTENT_MEMBERS = ['choices', 'output', 'data', 'results'] as const;
const PATTERNS = compilePatterns(['model', 'error', ...USAGE_PATTERNS, ...CONTENT_MEMBERS]);

/**
 * Turns a response into the client's answer: decides what must change, and changes it.
 * @throws ReportedError if a response with a success status holds an error instead of content; HttpError
 * `upstream_invalid_response` for a response that no client could read, and as `openStream` and `readBounded`.
 */
export function shapeResponse(response: HeldResponse, options: ShapeOptions): Promise<ShapedAnswer> {
  const { endpoint, render, encodingFormat, stream, streamRenderer } = options;
  const contentType = response.headers['content-type'];
  const isCompressed = !isIdentity(response);
  if (isCompressed && (render !== null || encodingFormat !== null || needsRename(response, options))) {
    throw invalidResponse('The provider sent a compressed response, which was not requested.');
  }
  if (isEventStream(contentType) && (render === null || (stream && streamRenderer !== null))) {
    return isCompressed ? passThrough(response) : passEventStream(response, options);
  }
  if (endpoint.response === 'any' || response.status === 204 || isCompressed) return passThrough(response);
  if (!isJsonType(contentType)) throw invalidResponse('The response of the provider is not JSON.');
  return encodingFormat === null
    ? answerJson(response, options)
    : answerVectors(response, encodingFormat, options);
}

/** Reads a response whole and renders it in the client's format. @throws HttpError `upstream_invalid_response`. */
export async function renderResponse(
  response: HeldResponse,
  render: (response: Buffer, contentType: string) => RenderedAnswer,
): Promise<ShapedAnswer> {
  const { headers } = response;
  if (!isIdentity(response))
    throw invalidResponse('The provider sent a compressed response, which was not requested.');
  const read = await readBounded(response.body, CHANGED_BYTES, response.lease);
  if (!read.isWhole) throw overLimit(read, response);
  const contentType = String(headers['content-type'] ?? '');
  return renderedAnswer(
    response,
    blamingProvider(() => render(read.bytes, contentType)),
  );
}

/** Reads a response. What the pure codecs find unreadable is a fault of the provider. @throws what `read` throws. */
function blamingProvider<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof HttpError) || error.error.code !== 'upstream_invalid_response') throw error;
    throw invalidResponse(error.message, error.cause);
  }
}

function renderedAnswer(response: HeldResponse, { contentType, body }: RenderedAnswer): ShapedAnswer {
  const headers = ['content-type', contentType, ...bodilessHeadersFor(response.headers)];
  return bytesAnswer({ ...response, status: 200 }, headers, body);
}

function isIdentity(response: HeldResponse): boolean {
  return (response.headers['content-encoding'] ?? 'identity') === 'identity';
}

/** Passes a response unchanged. Waits for its first byte: until then a failing upstream can still become an error. */
async function passThrough(response: HeldResponse, keepLength = true): Promise<ShapedAnswer> {
  const first = await readBounded(response.body, 0);
  if (!first.isWhole) {
    const isRead = isIdentity(response) && isJsonType(response.headers['content-type']);
    const transform = isRead ? new MeteredBody(null, response.meter) : null;
    return streamAnswer(response, responseHeadersFor(response.headers, keepLength), transform);
  }
  return bytesAnswer(response, responseHeadersFor(response.headers, false), first.bytes);
}

/** Without `x-accel-buffering`, nginx in front would buffer the events of a stream. */
const UNBUFFERED = ['cache-control', 'no-cache', 'x-accel-buffering', 'no'] as const;
/** The headers of an event stream. */
export const EVENT_STREAM_HEADERS: HeaderList = ['content-type', 'text/event-stream', ...UNBUFFERED];

/** Passes an event stream once it has content: until then the provider's failure can still become an error. */
async function passEventStream(response: HeldResponse, options: ShapeOptions): Promise<ShapedAnswer> {
  const opened = await openStream(response.body, options.endpoint.streamEnd);
  if (opened.kind === 'error') throw new ReportedError(opened.error, response.target.provider.secrets);
  const transform = clientStream(response, options);
  const headers = [...responseHeadersFor(response.headers, false), ...UNBUFFERED];
  return streamAnswer(response, headers, transform);
}

function streamAnswer(
  response: HeldResponse,
  headers: HeaderList,
  transform: BodyTransform | null,
): ShapedAnswer {
  const { status, body, reachedHeaders } = response;
  return { kind: 'stream', status, headers: [...headers, ...reachedHeaders], body, transform };
}

function bytesAnswer(response: HeldResponse, headers: HeaderList, body: Buffer): ShapedAnswer {
  const { status, reachedHeaders } = response;
  return { kind: 'bytes', status, headers: [...headers, ...reachedHeaders], body };
}

async function answerJson(response: HeldResponse, options: ShapeOptions): Promise<ShapedAnswer> {
  // Without a known stream format for the endpoint, the JSON response is better than an error.
  const mustStream = options.stream && options.endpoint.streamEnd !== null;
  const mustBeHeld = mustStream || options.render !== null;
  const read = await readBounded(response.body, mustBeHeld ? CHANGED_BYTES : WHOLE_BYTES, response.lease);
  if (read.isWhole) return answerWhole(response, read.bytes, options, mustStream);
  if (mustBeHeld) throw overLimit(read, response);
  const isRenamed = needsRename(response, options);
  const headers = responseHeadersFor(response.headers, !isRenamed);
  const renamer = isRenamed ? new JsonModelRenamer(options.modelId) : null;
  return streamAnswer(response, headers, new MeteredBody(renamer, response.meter));
}

function answerWhole(
  response: HeldResponse,
  bytes: Buffer,
  options: ShapeOptions,
  mustStream: boolean,
): ShapedAnswer {
  const scan = checkJson(bytes, response);
  response.meter.lookAtScanned(bytes, scan);
  const named = needsRename(response, options) ? withModel(bytes, scan, options.modelId) : bytes;
  const hasError = (firstMatch(scan, 'error')?.kind ?? 'null') !== 'null';
  const body = hasError ? redactBytes(named, response.target.provider.secrets) : named;
  const { render } = options;
  const headers = responseHeadersFor(response.headers, false);
  if (mustStream)
    return bytesAnswer(response, asEventStream(headers), wholeAsEvents(body, response, options));
  if (render !== null)
    return renderedAnswer(
      response,
      blamingProvider(() => render(body, response.target.provider.id)),
    );
  return bytesAnswer(response, headers, body);
}

function withModel(body: Buffer, scan: JsonScan, name: string): Buffer {
  const model = firstMatch(scan, 'model');
  if (model?.kind !== 'string') return body;
  const bytes = Buffer.from(JSON.stringify(name));
  return Buffer.concat(splice(body, [{ start: model.start, end: model.end, bytes }]));
}

/** Converts vectors to the encoding that the client asked for; holds one vector of a large response at a time. */
async function answerVectors(
  response: HeldResponse,
  encoding: 'float' | 'base64',
  options: ShapeOptions,
): Promise<ShapedAnswer> {
  const conversion = { encoding, model: needsRename(response, options) ? options.modelId : null };
  const read = await readBounded(response.body, WHOLE_BYTES, response.lease);
  if (!read.isWhole) {
    const body = bodyOf(convertEmbeddings(piecesOf(response.body), conversion));
    return passThrough({ ...response, body }, false);
  }
  response.meter.lookAtScanned(read.bytes, checkJson(read.bytes, response));
  const body = blamingProvider(() => normaliseEmbeddings(read.bytes, conversion)) ?? read.bytes;
  return bytesAnswer(response, responseHeadersFor(response.headers, false), body);
}

/** Scans a JSON response. @throws HttpError for one that no client could read, and for an error with status 200. */
function checkJson(body: Buffer, response: HeldResponse): JsonScan {
  const scan = scanResponse(body);
  if (scan.kind !== 'object' && scan.kind !== 'array') {
    throw invalidResponse('The JSON in the response of the provider is neither an object nor an array.');
  }
  const hasContent = CONTENT_MEMBERS.some((name) => firstMatch(scan, name) !== undefined);
  const error = hasContent || response.status !== 200 ? null : findErrorObject(parseJson(body));
  if (error !== null) throw new ReportedError(error, response.target.provider.secrets);
  return scan;
}

function scanResponse(body: Buffer): JsonScan {
  try {
    return scanJson(body, PATTERNS);
  } catch (error) {
    if (error instanceof JsonScanError && error.reason !== 'invalid_json') {
      throw invalidResponse('The response of the provider is nested too deeply or too large.');
    }
    throw invalidResponse('The JSON in the response of the provider is not valid.');
  }
}

function asEventStream(headers: HeaderList): HeaderList {
  const changed = [...EVENT_STREAM_HEADERS];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name !== 'content-type') changed.push(name, headers[index + 1] ?? '');
  }
  return changed;
}

function overLimit({ isOverBudget, bytes }: BoundedRead, { lease }: HeldResponse): HttpError {
  // Not a failure of the provider: another one would be paid for a response that is as large.
  return isOverBudget
    ? overloaded(lease, bytes.length)
    : new HttpError('upstream_invalid_response', 'The response of the provider is too large.');
}
