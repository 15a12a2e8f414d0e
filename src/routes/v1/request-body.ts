import { HttpError } from '../../errors.ts';
import {
  compilePatterns,
  firstMatch,
  type JsonPatterns,
  type JsonScan,
  JsonScanError,
  readString,
  scanJson,
} from '../../http/json-scan.ts';
import { IMAGE_PATTERNS } from '../../protocols/image-parts.ts';

/** What every JSON endpoint needs to know of a body. */
const PATTERNS = compilePatterns([
  'model',
  'models',
  'fallbacks',
  'route',
  'stream',
  'stream_options.include_usage',
  'encoding_format',
  ...IMAGE_PATTERNS,
]);

/** Members by which some upstreams pick another model than `model`. */
const MODEL_PICKERS = ['models', 'fallbacks', 'route'] as const;

export interface JsonRequest {
  readonly bytes: Buffer;
  readonly scan: JsonScan;
  readonly model: string;
}

/**
 * Scans a JSON body and reads its model. `patterns` must hold `model`.
 * @throws HttpError `invalid_json`, `invalid_body` (nested too deeply, an ambiguous model), `missing_required_parameter`,
 * `invalid_value`.
 */
export function parseJsonRequest(bytes: Buffer, patterns = PATTERNS): JsonRequest {
  const scan = scanBody(bytes, patterns);
  if (scan.kind !== 'object') {
    throw new HttpError('invalid_body', 'The body must be a JSON object such as {"model": "...", ...}.');
  }
  if (scan.ambiguous.includes('model')) {
    throw new HttpError('invalid_body', 'The body names `model` more than once.', { param: 'model' });
  }
  const match = firstMatch(scan, 'model');
  if (match === undefined || match.kind === 'null') throw missingModel();
  if (match.kind !== 'string') {
    throw new HttpError('invalid_value', '`model` must be a string.', { param: 'model' });
  }
  const model = readString(bytes, match);
  if (model === '') throw missingModel();
  return { bytes, scan, model };
}

/** Some servers read names without regard to letter case (Go's encoding/json). */
export function isModelPicker(name: string): boolean {
  return MODEL_PICKERS.some((picker) => picker === name.toLowerCase());
}

/** The error for a member or field that may lead a restricted key's request to another model. */
export function pickerRefused(name: string): HttpError {
  const message = `This key is restricted to certain models and may not send \`${name}\`.`;
  return new HttpError('invalid_body', message, { param: name });
}

/** @throws HttpError `invalid_body` for a body that may lead a restricted key's request to another model. */
export function refuseModelPickers(scan: JsonScan): void {
  for (const name of MODEL_PICKERS) {
    // Some servers read names without regard to letter case (Go's encoding/json).
    if (firstMatch(scan, name) === undefined && !scan.folded.includes(name)) continue;
    throw pickerRefused(name);
  }
}

/** Reads a boolean; null counts as absent. @throws HttpError `invalid_value`, `invalid_body` where it stands twice. */
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

/** Which form of vectors the client asked for. @throws HttpError `invalid_value`. */
export function readEncodingFormat(request: JsonRequest): 'float' | 'base64' {
  const match = firstMatch(request.scan, 'encoding_format');
  if (match === undefined || match.kind === 'null') return 'float';
  const value = match.kind === 'string' ? readString(request.bytes, match) : '';
  if (value === 'float' || value === 'base64') return value;
  throw new HttpError('invalid_value', '`encoding_format` must be float or base64.', {
    param: 'encoding_format',
  });
}

function scanBody(bytes: Buffer, patterns: JsonPatterns): JsonScan {
  try {
    return scanJson(bytes, patterns);
  } catch (error) {
    if (!(error instanceof JsonScanError)) throw error;
    if (error.reason === 'invalid_json') {
      throw new HttpError('invalid_json', `The body is not valid JSON (at byte ${error.offset}).`);
    }
    throw new HttpError('invalid_body', 'The body is nested too deeply or has too many values.');
  }
}

function missingModel(): HttpError {
  return new HttpError(
    'missing_required_parameter',
    'You must provide `model`. GET /v1/models lists the models you can use.',
    { param: 'model' },
  );
}
