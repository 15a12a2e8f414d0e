import { HttpError } from '../errors.ts';

export interface RequestTarget {
  /** Still percent-encoded, starts with `/`. */
  readonly path: string;
  /** Without the `?`; empty if there is none. */
  readonly query: string;
}

const LIMIT_LENGTH = 8192;
/** Origin form of RFC 9112 section 3.2.1: a path of visible ASCII, whole percent escapes, no backslash, fragment or NUL. */
const ORIGIN_FORM = /^\/(?:[!"$&-[\]-~]|%(?!00)[\da-fA-F]{2})*$/;

/**
 * Splits a request target into path and query by hand: URL parsers rewrite what they read (`/a/../b`, `//host/x`),
 * and what was authorised must be what was asked for.
 * @throws HttpError `invalid_request_target` for everything but the origin form (RFC 9112 section 3.2.1).
 */
export function parseRequestTarget(target: string): RequestTarget {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (target.length > LIMIT_LENGTH || !(isPlainPath(path) || ORIGIN_FORM.test(path))) {
    throw new HttpError(
      'invalid_request_target',
      'The address of the request is malformed. Ask for a path such as /v1/chat/completions.',
    );
  }
  return { path, query: mark < 0 ? '' : target.slice(mark + 1) };
}

/** The paths that nearly every request has: letters, digits and a few signs, checked without a backtracking pattern. */
function isPlainPath(path: string): boolean {
  return /^\/[\w./:-]*$/.test(path);
}

/** Decodes one path segment; null where the escapes are no valid UTF-8 (RFC 3986 section 2.1). */
export function decodeSegment(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Reads one value of a query; the first where there are several. */
export function queryValue(query: string, name: string): string | null {
  return query === '' ? null : new URLSearchParams(query).get(name);
}
