import { consumerOf } from '../auth/consumer.ts';
import { HttpError } from '../errors.ts';
import { readBody } from '../http/body.ts';
import { hasUtf8Charset, isJsonType } from '../http/content-type.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJson } from '../json/scan.ts';
import { JsonScanError } from '../json/tokens.ts';
import { isRecord } from '../json/value.ts';
import type { Context } from './context.ts';

const LIMIT_BYTES = 1024 * 1024;
const NO_PATTERNS = compilePatterns([]);
const STRUCTURES = 50_000;
const DEPTH = 32;

/** The fields of a request to `/api`. Code reads the fields it knows; unknown fields are ignored. */
export type Fields = ReadonlyMap<string, unknown>;

/**
 * Reads a JSON object from a request to `/api`.
 * @throws HttpError `unsupported_content_type`, `request_too_large`, `invalid_json`, `invalid_body`.
 */
export async function readFields(
  context: Context,
  budget: InflightBudget,
  limitBytes = LIMIT_BYTES,
): Promise<Fields> {
  requireJsonType(context);
  const lease = budget.open(consumerOf(context.principal));
  try {
    return parseFields(await readBody(context, { limitBytes, lease }));
  } finally {
    lease.release();
  }
}

/** @throws HttpError `unsupported_content_type` if the Content-Type is not JSON in UTF-8. */
export function requireJsonType({ req }: Context): void {
  const contentType = req.headers['content-type'];
  const isJson = isJsonType(contentType);
  if (isJson && hasUtf8Charset(contentType)) return;
  throw new HttpError(
    'unsupported_content_type',
    isJson
      ? 'JSON must be UTF-8. Send it as UTF-8, with Content-Type: application/json and no charset.'
      : 'Send the body as JSON, with Content-Type: application/json.',
  );
}

function parseFields(bytes: Buffer): Fields {
  try {
    scanJson(bytes, NO_PATTERNS, { depth: DEPTH, structures: STRUCTURES });
  } catch (error) {
    throw toBodyError(error);
  }
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  if (!isRecord(value)) throw new HttpError('invalid_body', 'The body must be a JSON object.');
  return new Map(Object.entries(value));
}

/** The error for a body whose scan failed: HttpError `invalid_json` or `invalid_body`. Any other error stays as it is. */
export function toBodyError(error: unknown): unknown {
  if (!(error instanceof JsonScanError)) return error;
  if (error.reason === 'invalid_json') {
    return new HttpError('invalid_json', `The body is not valid JSON (at byte ${error.offset}).`);
  }
  return new HttpError('invalid_body', 'The body is nested too deeply or has too many values.');
}
