import { HttpError } from '../errors.ts';

export interface RequestTarget {
  /** Still percent-encoded, starts with `/`. */
  readonly path: string;
  /** Without the `?`; empty if the target has no query. */
  readonly query: string;
}

const LIMIT_LENGTH = 8192;
/** Origin form (RFC 9112 section 3.2.1): a path of visible ASCII with complete escapes, without backslash, fragment or NUL. */
const ORIGIN_FORM = /^\/(?:[!"$&-[\]-~]|%(?!00)[\da-fA-F]{2})*$/;

/**
 * Splits a request target into path and query. Does not use a URL parser, which rewrites paths (`/a/../b`, `//host/x`): the
 * authorised path must be the requested one.
 * @throws HttpError `invalid_request_target` for everything but the origin form (RFC 9112 section 3.2.1).
 */
export function parseRequestTarget(target: string): RequestTarget {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (target.length > LIMIT_LENGTH || !(isCommonPath(path) || ORIGIN_FORM.test(path))) {
    throw new HttpError(
      'invalid_request_target',
      'The address of the request is malformed. Ask for a path such as /v1/chat/completions.',
    );
  }
  return { path, query: mark < 0 ? '' : target.slice(mark + 1) };
}

/** True for the paths of nearly all requests, letters, digits and a few signs: this pattern does not backtrack. */
function isCommonPath(path: string): boolean {
  return /^\/[\w./:-]*$/.test(path);
}

/** Decodes one path segment; null if its escapes are not valid UTF-8 (RFC 3986 section 2.1). */
export function decodeSegment(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** The first value of a name in a query; null if the query does not have the name. */
export function queryValue(query: string, name: string): string | null {
  return query === '' ? null : new URLSearchParams(query).get(name);
}
