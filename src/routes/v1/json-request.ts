import { HttpError } from '../../errors.ts';
import { modelNotFound } from '../../gateway/routing.ts';
import { firstMatch, isLongerThan, type JsonScan, readString, readStringStart } from '../../json/matches.ts';
import { compilePatterns, type JsonPatterns } from '../../json/patterns.ts';
import { scanJsonInTurns } from '../../json/scan.ts';
import { IMAGE_PATTERNS } from '../../protocols/image-parts.ts';
import { SOURCE_PATTERNS } from '../../protocols/source-images.ts';
import { toBodyError } from '../json-body.ts';
import { MODEL_LENGTH, PICKER_PATTERNS, PICKERS_FOLDING } from './model-pickers.ts';
import { SIZE_PATTERNS } from './request-size.ts';

/** The members that JSON endpoints look up in a body. All members are listed for the options of models. */
const PATTERNS = compilePatterns(
  [
    'model',
    'stream',
    'stream_options',
    'stream_options.include_usage',
    'encoding_format',
    'background',
    ...PICKER_PATTERNS,
    ...IMAGE_PATTERNS,
    ...SIZE_PATTERNS,
    ...SOURCE_PATTERNS,
  ],
  PICKERS_FOLDING,
  { listsMembers: true },
);

export interface JsonRequest {
  readonly bytes: Buffer;
  readonly scan: JsonScan;
  /** null: the body names none. */
  readonly model: string | null;
}

/**
 * Scans a JSON body and reads its model. The scan of a large body alternates with other work. `patterns` must include `model`.
 * @throws HttpError `invalid_json`; `invalid_body` (nested too deeply, an ambiguous model); `invalid_value`; `model_not_found`
 * for a name longer than any model's name.
 */
export function parseJsonRequest(bytes: Buffer, patterns = PATTERNS): JsonRequest | Promise<JsonRequest> {
  const scan = scanBody(bytes, patterns);
  return scan instanceof Promise ? scan.then((done) => toRequest(bytes, done)) : toRequest(bytes, scan);
}

function toRequest(bytes: Buffer, scan: JsonScan): JsonRequest {
  return { bytes, scan, model: readModel(bytes, scan) };
}

function readModel(bytes: Buffer, scan: JsonScan): string | null {
  if (scan.kind !== 'object') {
    throw new HttpError('invalid_body', 'The body must be a JSON object such as {"model": "...", ...}.');
  }
  if (scan.ambiguous.includes('model')) {
    throw new HttpError('invalid_body', 'The body names `model` more than once.', { param: 'model' });
  }
  const match = firstMatch(scan, 'model');
  if (match === undefined || match.kind === 'null') return null;
  if (match.kind !== 'string') {
    throw new HttpError('invalid_value', '`model` must be a string.', { param: 'model' });
  }
  if (isLongerThan(match, MODEL_LENGTH)) throw modelNotFound(readStringStart(bytes, match, MODEL_LENGTH));
  const model = readString(bytes, match);
  return model === '' ? null : model;
}

/** Reads a boolean; null counts as false. @throws HttpError `invalid_value`; `invalid_body` for a repeated member. */
export function readFlag(request: JsonRequest, name: 'stream' | 'stream_options.include_usage'): boolean {
  const { bytes, scan } = request;
  if (scan.ambiguous.includes(name)) {
    throw new HttpError('invalid_body', `The body names \`${name}\` more than once.`, { param: name });
  }
  const match = firstMatch(scan, name);
  if (match === undefined || match.kind === 'null') return false;
  if (match.kind !== 'boolean') {
    throw new HttpError('invalid_value', `\`${name}\` must be true or false.`, { param: name });
  }
  return bytes[match.start] === 0x74;
}

/**
 * Refuses a response that goes on without its client: what it uses is told later, to nobody who counts it.
 * @throws HttpError `unsupported_parameter`.
 */
export function refuseBackground({ bytes, scan }: JsonRequest): void {
  const match = firstMatch(scan, 'background');
  const isOff =
    match === undefined ||
    match.kind === 'null' ||
    bytes.toString('latin1', match.start, match.end) === 'false';
  if (isOff && !scan.ambiguous.includes('background') && !scan.folded.includes('background')) return;
  throw new HttpError('unsupported_parameter', '`background` is not available for your key.', {
    param: 'background',
  });
}

/** The encoding of vectors that the client asked for. @throws HttpError `invalid_value`. */
export function readEncodingFormat(request: JsonRequest): 'float' | 'base64' {
  const match = firstMatch(request.scan, 'encoding_format');
  if (match === undefined || match.kind === 'null') return 'float';
  const value = match.kind === 'string' ? readStringStart(request.bytes, match, 'base64'.length + 1) : '';
  if (value === 'float' || value === 'base64') return value;
  throw new HttpError('invalid_value', '`encoding_format` must be float or base64.', {
    param: 'encoding_format',
  });
}

function scanBody(bytes: Buffer, patterns: JsonPatterns): JsonScan | Promise<JsonScan> {
  try {
    // An ordinary body is scanned synchronously; awaiting it would cost a turn.
    const scan = scanJsonInTurns(bytes, patterns);
    return scan instanceof Promise ? scan.catch(failBody) : scan;
  } catch (error) {
    return failBody(error);
  }
}

function failBody(error: unknown): never {
  throw toBodyError(error);
}

/** The error for a request that must name a model. */
export function missingModel(): HttpError {
  return new HttpError(
    'missing_required_parameter',
    'You must provide `model`. GET /v1/models lists the models you can use.',
    { param: 'model' },
  );
}
