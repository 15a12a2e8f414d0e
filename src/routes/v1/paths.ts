import type { Endpoint } from '../../gateway/endpoints.ts';

/** Finds the path under which a request is served, whatever its spelling. */
export type PathReader = (path: string) => string;

/**
 * Makes the reader of paths. Clients join base URLs carelessly: `//v1/x`, `/v1//x`, `/v1/v1/x`, `/x` for an endpoint that is
 * served bare, a trailing slash. Whatever the spelling, it is one row with one access.
 */
export function createPathReader(endpoints: readonly Endpoint[]): PathReader {
  const bare = new Set(endpoints.filter(({ isServedBare }) => isServedBare).map(({ path }) => `/${path}`));
  return (path) => {
    let canonical = path;
    if (canonical.startsWith('//v1/')) canonical = canonical.slice(1);
    if (canonical.startsWith('/v1//')) canonical = `/v1/${canonical.slice(5)}`;
    if (canonical.startsWith('/v1/v1/')) canonical = canonical.slice(3);
    const isModels = canonical === '/models' || canonical.startsWith('/models/');
    if (isModels || bare.has(withoutSlash(canonical))) canonical = `/v1${canonical}`;
    return canonical.startsWith('/v1/') && canonical.length > 4 ? withoutSlash(canonical) : canonical;
  };
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
