/** Endpoints that clients ask for without `/v1` because their base URL lacks it. */
const BARE =
  /^\/(?:models|chat\/completions|completions|responses|embeddings|moderations|rerank|ocr|images\/[a-z]+|audio\/[a-z]+)(?:\/|$)/;

/**
 * The path under which a request is served. Clients join base URLs carelessly: `//v1/x`, `/v1//x`, `/v1/v1/x`, `/x` for
 * a known endpoint, a trailing slash. Whatever the spelling, it is one row with one set of rights.
 */
export function canonicalPath(path: string): string {
  let canonical = path;
  if (canonical.startsWith('//v1/')) canonical = canonical.slice(1);
  if (canonical.startsWith('/v1//')) canonical = `/v1/${canonical.slice(5)}`;
  if (canonical.startsWith('/v1/v1/')) canonical = canonical.slice(3);
  if (BARE.test(canonical)) canonical = `/v1${canonical}`;
  if (canonical.startsWith('/v1/') && canonical.endsWith('/') && canonical.length > 4)
    canonical = canonical.slice(0, -1);
  return canonical;
}
