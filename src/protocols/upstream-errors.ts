import type { ErrorObject } from '../errors.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJson } from '../json/scan.ts';
import { isRecord, parseJson } from '../json/value.ts';

const TEXT_LIMIT = 500;
const NO_PATTERNS = compilePatterns([]);
const LIMITS = { depth: 64, structures: 100_000 };

/** Parses JSON that may hold an error; undefined where it is none, or nested too deeply to be written again. */
export function parseErrorJson(text: Buffer | string): unknown {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  try {
    scanJson(bytes, NO_PATTERNS, LIMITS);
  } catch {
    return undefined;
  }
  return parseJson(bytes);
}

/**
 * Brings an upstream's error body into OpenAI's `error` object. Dialects: OpenAI's own; a bare string (Ollama);
 * FastAPI's `detail` (Chutes, TEI); vLLM's flat object; Gemini's and OpenRouter's with numeric codes, also wrapped in
 * an array; anything else becomes a sentence with the status. Extra members are kept, missing ones are null.
 */
export function toErrorObject(status: number, body: string): ErrorObject {
  const value = unwrap(parseErrorJson(body));
  if (!isRecord(value)) return plain(sentence(status, typeof value === 'string' ? value : body));
  if (isRecord(value['error'])) return fromRecord(value['error'], status);
  if (typeof value['error'] === 'string') return plain(value['error']);
  if (value['detail'] !== undefined) return fromDetail(value['detail'], status);
  return fromRecord(value, status);
}

/** The error inside a record of an event stream or a 200 answer, or null if it holds none. */
export function findErrorObject(value: unknown): ErrorObject | null {
  const record = unwrap(value);
  if (!isRecord(record)) return null;
  if (isRecord(record['error'])) return fromRecord(record['error'], 500);
  if (typeof record['error'] === 'string') return plain(record['error']);
  if (record['object'] === 'error') return fromRecord(record, 500);
  return null;
}

function fromRecord(record: Record<string, unknown>, status: number): ErrorObject {
  const { message, type, param, code, object: _object, ...extra } = record;
  return {
    ...extra,
    message: text(message) ?? sentence(status, ''),
    type: text(type),
    param: text(param),
    code: text(code),
  };
}

/** FastAPI: a string, an object with a message, or a list of `{loc, msg, type}`. */
function fromDetail(detail: unknown, status: number): ErrorObject {
  if (typeof detail === 'string') return plain(detail);
  if (isRecord(detail)) return fromRecord(detail, status);
  const items = Array.isArray(detail) ? detail.filter(isRecord) : [];
  const [first] = items;
  const messages = items.flatMap((item) => text(item['msg']) ?? []);
  const location = Array.isArray(first?.['loc']) ? first['loc'].at(-1) : null;
  const error = plain(messages.join('; ') || sentence(status, ''));
  return { ...error, param: text(location) };
}

function plain(message: string): ErrorObject {
  return { message, type: null, param: null, code: null };
}

/** HTML pages are not shown: they are long and say nothing to whoever reads an error. */
function sentence(status: number, body: string): string {
  const shown = body.trim();
  if (shown === '' || shown.startsWith('<') || shown.startsWith('{') || shown.startsWith('[')) {
    return `The provider answered with status ${status} and no readable error.`;
  }
  return `The provider answered with status ${status}: ${shown.slice(0, TEXT_LIMIT)}`;
}

function text(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value).slice(0, TEXT_LIMIT) : String(value);
}

function unwrap(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}
