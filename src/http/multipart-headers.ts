import { isUtf8 } from 'node:buffer';
import { HttpError } from '../errors.ts';

/** The headers of one part. */
export interface PartHeaders {
  readonly name: string;
  /** Without folders; null if the part names no file, `''` for an empty file input of a browser. */
  readonly filename: string | null;
  /** As sent, parameters included. */
  readonly contentType: string | null;
}

interface HeaderValue {
  /** The text before the first parameter, in lower case. */
  readonly value: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** RFC 2046 section 5.1.1: `bchars`, 1 to 70 of them, the last one not a space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
/** RFC 2047 section 2: some readers decode encoded words, although RFC 7578 section 5.1 does not allow them. */
const ENCODED_WORD = /=\?[^?]+\?[bq]\?/i;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Headers that may appear once: readers differ in which of two they use. */
const SINGLE = new Set(['content-disposition', 'content-type', 'content-transfer-encoding']);

/**
 * The boundary in a Content-Type (RFC 7578 section 4.1, RFC 2046 section 5.1.1), quoted or not.
 * @throws HttpError `unsupported_content_type` for another type than `multipart/form-data`, `invalid_body` for a missing or
 * invalid boundary.
 */
export function parseBoundary(contentType: string | undefined): string {
  const media = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (media !== 'multipart/form-data') {
    throw new HttpError('unsupported_content_type', 'Send this request as multipart/form-data.');
  }
  const boundary = parseHeaderValue(contentType ?? '')?.parameters.get('boundary');
  if (boundary === undefined) {
    throw invalid('The Content-Type multipart/form-data names no boundary, or is malformed.');
  }
  if (!BOUNDARY.test(boundary)) {
    throw invalid('The multipart boundary must be 1 to 70 characters that RFC 2046 allows.');
  }
  return boundary;
}

/**
 * Parses the header block of a part, without the blank line at its end. A block that is not UTF-8 is read as ISO-8859-1.
 * Names and file names may be quoted with backslashes or escaped as browsers do (`%22`, `%0D`, `%0A`); `filename*` (RFC 8187)
 * wins over `filename`. Refuses headers that two readers could understand differently.
 * @throws HttpError `invalid_body`.
 */
export function parsePartHeaders(block: Buffer): PartHeaders {
  const text = block.toString(isUtf8(block) ? 'utf8' : 'latin1');
  const headers = new Map<string, string>();
  for (const line of text === '' ? [] : text.split('\r\n')) addHeader(headers, line);
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary';
  if (!['binary', '8bit', '7bit'].includes(encoding)) {
    throw invalid(
      'Content-Transfer-Encoding is not supported in multipart/form-data: send the bytes as they are.',
    );
  }
  const disposition = parseHeaderValue(headers.get('content-disposition') ?? '');
  if (disposition?.value !== 'form-data' || disposition.parameters.has('name*')) {
    throw invalid('Every part needs a header line such as: Content-Disposition: form-data; name="file"');
  }
  const name = unescapeName(disposition.parameters.get('name') ?? '');
  if (name === '') throw invalid('Every part needs a field name that is not empty.');
  if (name.includes('\\')) throw invalid('A field name must not hold a backslash.');
  if (ENCODED_WORD.test(name)) throw invalid('A field name must not be an encoded word. Send it as UTF-8.');
  return {
    name,
    filename: fileNameOf(disposition.parameters),
    contentType: headers.get('content-type') || null,
  };
}

/** The base name of a field: `x` for `x[]` and `x[0]`, the two ways to write a list in a form; else the name itself. */
export function fieldBaseName(name: string): string {
  if (!name.endsWith(']')) return name;
  const opening = name.lastIndexOf('[');
  return opening > 0 && /^\[\d{0,6}\]$/.test(name.slice(opening)) ? name.slice(0, opening) : name;
}

/** True if a text has a control character other than a tab, which no header value may have. */
export function hasControlCharacter(text: string): boolean {
  return /[^\t -~\x80-\uffff]/.test(text);
}

function invalid(message: string): HttpError {
  return new HttpError('invalid_body', message);
}

function addHeader(headers: Map<string, string>, line: string): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
  const value = line.slice(colon + 1).trim();
  if (!TOKEN.test(name) || hasControlCharacter(value)) {
    throw invalid('A part of the multipart body has a malformed header line. Lines end with CR LF.');
  }
  const earlier = headers.get(name);
  if (earlier !== undefined && SINGLE.has(name)) throw invalid(`A part has the header ${name} twice.`);
  headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
}

/** Parses `value; name=text; name="text"`; null if it is malformed or repeats a parameter. */
function parseHeaderValue(text: string): HeaderValue | null {
  const parameters = new Map<string, string>();
  let at = text.indexOf(';');
  const value = (at < 0 ? text : text.slice(0, at)).trim().toLowerCase();
  for (at = at < 0 ? text.length : at; ; ) {
    while (at < text.length && ' \t;'.includes(text.charAt(at))) at++;
    if (at >= text.length) return { value, parameters };
    const equals = text.indexOf('=', at);
    const name = text.slice(at, Math.max(equals, at)).trim().toLowerCase();
    if (!TOKEN.test(name) || parameters.has(name)) return null;
    const read = readParameterValue(text, equals + 1);
    if (read === null) return null;
    parameters.set(name, read.value);
    at = read.end;
  }
}

/** Reads a token or a quoted string up to a semicolon or the end of the text; null if it is malformed. */
function readParameterValue(text: string, from: number): { value: string; end: number } | null {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  if (text[at] !== '"') {
    const semicolon = text.indexOf(';', at);
    const end = semicolon < 0 ? text.length : semicolon;
    return { value: text.slice(at, end).trim(), end };
  }
  const start = at + 1;
  at = closingQuote(text, start);
  if (at < 0) return null;
  // Only these two are escapes: some clients send paths such as C:\temp\a.mp3 unescaped.
  const value = text.slice(start, at).replace(/\\(["\\])/g, '$1');
  do at++;
  while (text[at] === ' ' || text[at] === '\t');
  return at >= text.length || text[at] === ';' ? { value, end: at } : null;
}

/** The index of the quote that ends a quoted string, -1 if there is none. */
function closingQuote(text: string, start: number): number {
  let at = text.indexOf('"', start);
  let backslash = text.indexOf('\\', start);
  while (backslash >= 0 && backslash < at) {
    const next = text[backslash + 1];
    const end = backslash + (next === '"' || next === '\\' ? 2 : 1);
    if (end > at) at = text.indexOf('"', end);
    backslash = text.indexOf('\\', end);
  }
  return at;
}

/** Undoes the escapes of browsers (WHATWG HTML, multipart/form-data encoding algorithm). */
function unescapeName(text: string): string {
  return text.replace(/%(22|0d|0a)/gi, (sequence) => decodeURIComponent(sequence));
}

function fileNameOf(parameters: ReadonlyMap<string, string>): string | null {
  const extended = parameters.get('filename*');
  const plain = parameters.get('filename');
  if (extended === undefined) return plain === undefined ? null : withoutFolders(unescapeName(plain));
  const name = decodeExtended(extended);
  if (name === null || hasControlCharacter(name))
    throw invalid('A file name is malformed: see RFC 8187 for filename*.');
  return withoutFolders(name);
}

/** RFC 7578 section 4.2: a directory path may be present and must not be used. */
function withoutFolders(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return name === '.' || name === '..' ? '' : name;
}

/** Decodes `UTF-8'en'%e2%82%ac.mp3` (RFC 8187 section 3.2); null if it is malformed. */
function decodeExtended(text: string): string | null {
  const match = /^(utf-8|iso-8859-1)'[^']*'((?:%[0-9a-f]{2}|[!#$&+\-.^_`|~0-9a-z])*)$/i.exec(text);
  if (match === null) return null;
  const [, charset = '', value = ''] = match;
  if (charset.toLowerCase() === 'iso-8859-1') {
    return value.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}
