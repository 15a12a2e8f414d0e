import { Readable } from 'node:stream';
import { type ErrorObject, HttpError } from '../errors.ts';
import type { AnswerEnd, BodyTransform } from '../http/body-transform.ts';
import type { HeaderList } from '../http/headers.ts';
import { type InflightLease, overloaded } from '../inflight-budget.ts';
import { firstMatch, type JsonScan } from '../json/matches.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJson } from '../json/scan.ts';
import { splice } from '../json/splice.ts';
import { JsonScanError } from '../json/tokens.ts';
import { parseJson } from '../json/value.ts';
import { completionToEvents } from '../protocols/completions.ts';
import { convertEmbeddings, normaliseEmbeddings } from '../protocols/embeddings.ts';
import { EventStream } from '../protocols/event-stream.ts';
import { JsonModelRenamer } from '../protocols/json-model.ts';
import {
  bodilessHeadersFor,
  isEventStream,
  isJsonType,
  responseHeadersFor,
} from '../protocols/passed-headers.ts';
import { findErrorObject } from '../protocols/upstream-errors.ts';
import type { RenderedAnswer, Target, UpstreamResponse } from '../providers/adapter.ts';
import { cleanError } from '../providers/error-cleaning.ts';
import { type BoundedRead, readBounded } from '../providers/read-bounded.ts';
import { redactBytes } from '../redaction.ts';
import type { Call } from './call.ts';
import type { CallRecord } from './record.ts';

/** What the client gets: a complete body, or a stream of bytes that `transform` changes on their way. */
export type ShapedResponse = {
  readonly status: number;
  readonly headers: HeaderList;
} & (
  | { readonly kind: 'bytes'; readonly body: Buffer }
  | { readonly kind: 'stream'; readonly body: Readable; readonly transform: BodyTransform | null }
);

/** A call's answer on its way to the client. Whoever sends it owns its body, and settles it when no more is sent. */
export class Answer {
  readonly shaped: ShapedResponse;
  readonly #lease: InflightLease;
  readonly #record: CallRecord;

  constructor(shaped: ShapedResponse, lease: InflightLease, record: CallRecord) {
    this.shaped = shaped;
    this.#lease = lease;
    this.#record = record;
  }

  /** Notes in the call's record how the answer ended, and gives back the memory that it held. */
  settle(end: AnswerEnd): void {
    this.#record.noteEnd(end);
    this.release();
  }

  /** Gives back the memory of an answer that was never begun. */
  release(): void {
    this.#lease.release();
  }
}

/** A successful response whose body is not read yet, and the account of what is held of it. */
export interface HeldResponse extends UpstreamResponse {
  readonly target: Target;
  /** The headers that tell where the call was sent. */
  readonly reached: HeaderList;
  readonly lease: InflightLease;
}

/** What of a call shapes its answer. */
export type ShapeOptions = Pick<
  Call,
  'endpoint' | 'modelId' | 'stream' | 'includeUsage' | 'encodingFormat' | 'render'
>;

/** JSON answers up to this size are looked at as a whole; a larger one passes as it comes, if it may. */
const WHOLE_BYTES = 1024 * 1024;
const CHANGED_BYTES = 32 * 1024 * 1024;
/**
 * With one of these members the answer counts as a success, even if it also carries an error (a failed `response`
 * does).
 */
const CONTENTS = ['choices', 'output', 'data', 'results'] as const;
const PATTERNS = compilePatterns(['model', 'error', ...CONTENTS]);

/**
 * Decides, once per answer, what of it must differ for the client, and makes it so.
 * @throws HttpError `upstream_invalid_response` for an answer that no client could read, the upstream's own error where
 * a success turns out to hold one.
 */
export async function shapeResponse(answer: HeldResponse, options: ShapeOptions): Promise<ShapedResponse> {
  const { endpoint, render, encodingFormat } = options;
  const contentType = answer.headers['content-type'];
  const isCompressed = !isIdentity(answer);
  if (isCompressed && (render !== null || encodingFormat !== null || needsRename(answer, options))) {
    throw invalid('The provider sent a compressed answer unasked.');
  }
  if (isEventStream(contentType) && render === null) {
    return isCompressed ? passed(answer) : eventStream(answer, options);
  }
  if (endpoint.answer === 'any' || answer.status === 204 || isCompressed) return passed(answer);
  if (!isJsonType(contentType)) throw invalid('The provider answered with something that is not JSON.');
  return encodingFormat === null
    ? jsonAnswer(answer, options)
    : vectorsAnswer(answer, encodingFormat, options);
}

/** Reads an answer whole and puts it into the client's form. @throws HttpError `upstream_invalid_response`. */
export async function renderResponse(
  answer: HeldResponse,
  render: (response: Buffer, contentType: string) => RenderedAnswer,
): Promise<ShapedResponse> {
  const { headers } = answer;
  if (!isIdentity(answer)) throw invalid('The provider sent a compressed answer unasked.');
  const read = await readBounded(answer.body, CHANGED_BYTES, answer.lease);
  if (!read.whole) throw tooMuch(read, answer);
  return rendered(answer, render(read.bytes, String(headers['content-type'] ?? '')));
}

function rendered(answer: HeldResponse, { contentType, body }: RenderedAnswer): ShapedResponse {
  const headers = ['content-type', contentType, ...bodilessHeadersFor(answer.headers)];
  return whole({ ...answer, status: 200 }, headers, body);
}

function isIdentity(answer: HeldResponse): boolean {
  return (answer.headers['content-encoding'] ?? 'identity') === 'identity';
}

function needsRename(answer: HeldResponse, options: ShapeOptions): boolean {
  return options.endpoint.namesModel && answer.target.upstreamModel !== options.modelId;
}

/** Waits for the first byte: as long as nothing was sent, an upstream that breaks off is answered with an error. */
async function passed(answer: HeldResponse, keepLength = true): Promise<ShapedResponse> {
  const first = await readBounded(answer.body, 0);
  if (!first.whole) return stream(answer, responseHeadersFor(answer.headers, keepLength), null);
  return whole(answer, responseHeadersFor(answer.headers, false), first.bytes);
}

/** Of event streams: proxies in front (nginx) would hold events back in their buffers without the second. */
const UNBUFFERED = ['cache-control', 'no-cache', 'x-accel-buffering', 'no'] as const;

function eventStream(answer: HeldResponse, options: ShapeOptions): ShapedResponse {
  const { secrets } = answer.target.provider;
  const transform = new EventStream({
    model: needsRename(answer, options) ? options.modelId : null,
    streamEnd: options.endpoint.streamEnd,
    clean: (error) => cleanError(error, secrets),
    withoutKey: (record) => redactBytes(record, secrets),
  });
  return stream(answer, [...responseHeadersFor(answer.headers, false), ...UNBUFFERED], transform);
}

function stream(answer: HeldResponse, headers: HeaderList, transform: BodyTransform | null): ShapedResponse {
  const { status, body, reached } = answer;
  return { kind: 'stream', status, headers: [...headers, ...reached], body, transform };
}

function whole(answer: HeldResponse, headers: HeaderList, body: Buffer): ShapedResponse {
  const { status, reached } = answer;
  return { kind: 'bytes', status, headers: [...headers, ...reached], body };
}

async function jsonAnswer(answer: HeldResponse, options: ShapeOptions): Promise<ShapedResponse> {
  // Where an endpoint has no streams of a known form, the answer that came is better than none.
  const mustStream = options.stream && options.endpoint.streamEnd !== null;
  const mustBeHeld = mustStream || options.render !== null;
  const isRenamed = needsRename(answer, options);
  const read = await readBounded(answer.body, mustBeHeld ? CHANGED_BYTES : WHOLE_BYTES, answer.lease);
  if (!read.whole) {
    if (mustBeHeld) throw tooMuch(read, answer);
    const headers = responseHeadersFor(answer.headers, !isRenamed);
    return stream(answer, headers, isRenamed ? new JsonModelRenamer(options.modelId) : null);
  }
  const scan = checkAnswer(read.bytes, answer);
  const named = isRenamed ? renamed(read.bytes, scan, options.modelId) : read.bytes;
  const hasError = (firstMatch(scan, 'error')?.kind ?? 'null') !== 'null';
  const body = hasError ? redactBytes(named, answer.target.provider.secrets) : named;
  if (options.render !== null) return rendered(answer, options.render(body, answer.target.provider.id));
  const headers = responseHeadersFor(answer.headers, false);
  if (mustStream) return whole(answer, asEventStream(headers), eventsOf(body, options));
  return whole(answer, headers, body);
}

function renamed(body: Buffer, scan: JsonScan, name: string): Buffer {
  const model = firstMatch(scan, 'model');
  if (model?.kind !== 'string') return body;
  const bytes = Buffer.from(JSON.stringify(name));
  return Buffer.concat(splice(body, [{ start: model.start, end: model.end, bytes }]));
}

function eventsOf(body: Buffer, { endpoint, includeUsage }: ShapeOptions): Buffer {
  const events = endpoint.streamEnd === 'chat' ? completionToEvents(parseJson(body), includeUsage) : null;
  if (events === null) throw invalid('The provider answered a streaming request without a stream.');
  return events;
}

/** Vectors in the form the client asked for. Of an answer of any size, one vector at a time is held. */
async function vectorsAnswer(
  answer: HeldResponse,
  encoding: 'float' | 'base64',
  options: ShapeOptions,
): Promise<ShapedResponse> {
  const conversion = { encoding, model: needsRename(answer, options) ? options.modelId : null };
  const read = await readBounded(answer.body, WHOLE_BYTES, answer.lease);
  if (!read.whole) {
    const body = Readable.from(convertEmbeddings(answer.body, conversion), { objectMode: false });
    return passed({ ...answer, body }, false);
  }
  checkAnswer(read.bytes, answer);
  const body = normaliseEmbeddings(read.bytes, conversion) ?? read.bytes;
  return whole(answer, responseHeadersFor(answer.headers, false), body);
}

/** Scans an answer that a client can read. @throws HttpError for anything else, and for the error that it may be. */
function checkAnswer(body: Buffer, answer: HeldResponse): JsonScan {
  const scan = scanAnswer(body);
  if (scan.kind !== 'object' && scan.kind !== 'array') {
    throw invalid('The provider answered with JSON that is no answer.');
  }
  const hasContent = CONTENTS.some((name) => firstMatch(scan, name) !== undefined);
  const error = hasContent || answer.status !== 200 ? null : findErrorObject(parseJson(body));
  if (error !== null) throw hiddenError(error, answer);
  return scan;
}

function scanAnswer(body: Buffer): JsonScan {
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
function hiddenError(error: ErrorObject, answer: HeldResponse): HttpError {
  const code = Number(error.code);
  const isStatus = Number.isInteger(code) && code >= 400 && code < 600 && code !== 401 && code !== 403;
  return HttpError.fromUpstream(isStatus ? code : 502, cleanError(error, answer.target.provider.secrets));
}

function asEventStream(headers: HeaderList): HeaderList {
  const changed = ['content-type', 'text/event-stream', ...UNBUFFERED];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name !== 'content-type') changed.push(name, headers[index + 1] ?? '');
  }
  return changed;
}

function invalid(message: string): HttpError {
  return new HttpError('upstream_invalid_response', message);
}

function tooMuch({ isCrowded, bytes }: BoundedRead, { lease }: HeldResponse): HttpError {
  return isCrowded ? overloaded(lease, bytes.length) : invalid('The answer of the provider is too large.');
}
