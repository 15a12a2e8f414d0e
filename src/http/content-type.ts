/** True for the content type of an event stream. */
export function isEventStream(contentType: string | string[] | undefined): boolean {
  return typeof contentType === 'string' && /^text\/event-stream\s*(;|$)/i.test(contentType);
}

/** True for `application/json` and types ending in `+json`, parameters allowed (RFC 8259 section 11, RFC 6839). */
export function isJsonType(contentType: string | string[] | undefined): boolean {
  return (
    typeof contentType === 'string' && /^\s*application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(contentType)
  );
}

/** Accepted charset labels of JSON, which is always UTF-8 (RFC 8259 section 8.1); US-ASCII is a subset. */
const UTF8_CHARSET = /^charset[ \t]*=[ \t]*("(utf-?8|us-ascii|ascii)"|utf-?8|us-ascii|ascii)$/i;

/**
 * True unless a content type names a charset other than UTF-8 or US-ASCII. Every parameter whose name begins with
 * `charset` counts, even inside quotes or repeated, because readers differ in which one they use.
 */
export function hasUtf8Charset(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  const [, ...parameters] = (contentType ?? '').split(';');
  return parameters
    .map((parameter) => parameter.trim())
    .every((parameter) => !/^"?\s*charset/i.test(parameter) || UTF8_CHARSET.test(parameter));
}
