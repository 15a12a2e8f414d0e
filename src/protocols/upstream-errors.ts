import type { ErrorObject } from '../errors.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJson } from '../json/scan.ts';
import { isRecord, parseJson } from '../json/value.ts';
import { redact, redactMembers } from '../redaction.ts';

const TEXT_LIMIT = 500;
const NO_PATTERNS = compilePatterns([]);
const LIMITS = { depth: 64, structures: 100_000 };

/** Parses JSON that may hold an error; undefined for other text and for JSON nested too deeply to be serialised again. */
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
 * Converts an upstream's error body to OpenAI's `error` object. Knows these dialects: OpenAI's own; a bare string (Ollama);
 * FastAPI's `detail` (Chutes, TEI); vLLM's flat object; numeric codes, also inside an array (Gemini, OpenRouter). Any other
 * body becomes a message with the status. Extra members are kept, missing members are null.
 * @param status null: the message is the body's own text alone, and empty if the body holds none
 */
export function toErrorObject(status: number | null, body: string): ErrorObject {
  const value = unwrap(parseErrorJson(body));
  if (!isRecord(value)) return messageOnly(statusMessage(status, typeof value === 'string' ? value : body));
  if (isRecord(value['error'])) return fromRecord(value['error'], status);
  if (typeof value['error'] === 'string') return messageOnly(value['error']);
  if (value['detail'] !== undefined) return fromDetail(value['detail'], status);
  return fromRecord(value, status);
}

/** The error in a record of an event stream or in a successful response; null if there is none. */
export function findErrorObject(value: unknown): ErrorObject | null {
  const record = unwrap(value);
  if (!isRecord(record)) return null;
  if (isRecord(record['error'])) return fromRecord(record['error'], 500);
  if (typeof record['error'] === 'string') return messageOnly(record['error']);
  if (record['object'] === 'error') return fromRecord(record, 500);
  return null;
}

/** True if an error's text speaks of the model rather than of the endpoint. */
export function modelIsNamed(text: string, names: readonly string[]): boolean {
  return text.includes('model_not_found') || names.some((name) => hasWord(text, name));
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/\w/.test(text[at - 1] ?? '') && !/\w/.test(text[at + word.length] ?? '')) return true;
  }
  return false;
}

function fromRecord(record: Record<string, unknown>, status: number | null): ErrorObject {
  const { message, type, param, code, object: _object, ...extra } = record;
  return {
    ...extra,
    message: toText(message) ?? statusMessage(status, ''),
    type: toText(type),
    param: toText(param),
    code: toText(code),
  };
}

/** FastAPI: a string, an object with a message, or a list of `{loc, msg, type}`. */
function fromDetail(detail: unknown, status: number | null): ErrorObject {
  if (typeof detail === 'string') return messageOnly(detail);
  if (isRecord(detail)) return fromRecord(detail, status);
  const items = Array.isArray(detail) ? detail.filter(isRecord) : [];
  const [first] = items;
  const messages = items.flatMap((item) => toText(item['msg']) ?? []);
  const location = Array.isArray(first?.['loc']) ? first['loc'].at(-1) : null;
  const error = messageOnly(messages.join('; ') || statusMessage(status, ''));
  return { ...error, param: toText(location) };
}

function messageOnly(message: string): ErrorObject {
  return { message, type: null, param: null, code: null };
}

/** A message with the status. HTML and JSON bodies are not shown: they are long and do not explain the error. */
function statusMessage(status: number | null, body: string): string {
  const text = body.trim();
  const shown = /^[<{[]/.test(text) ? '' : text.slice(0, TEXT_LIMIT);
  if (status === null) return shown;
  const answered = `The provider answered with status ${status}`;
  return shown === '' ? `${answered} and no readable error.` : `${answered}: ${shown}`;
}

function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value).slice(0, TEXT_LIMIT) : String(value);
}

function unwrap(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** An upstream's error body as `toErrorObject` reads it, without the provider's key. */
export function readError(status: number | null, body: string, secrets: readonly string[]): ErrorObject {
  // Redact before `toErrorObject` truncates: half a key would not be recognised.
  return cleanError(toErrorObject(status, redact(body, secrets)), secrets);
}

/** Values nested deeper in an error become null. */
const ERROR_DEPTH = 8;

/** An upstream's error with the provider's key removed from all names and values. */
export function cleanError(error: ErrorObject, secrets: readonly string[]): ErrorObject {
  const { message, type, param, code, ...extra } = error;
  const clean = (text: string | null): string | null => (text === null ? null : redact(text, secrets));
  return {
    ...redactMembers(extra, secrets, ERROR_DEPTH),
    message: redact(message, secrets),
    type: clean(type),
    param: clean(param),
    code: clean(code),
  };
}
