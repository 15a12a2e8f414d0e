import type { Dialect } from '../../dialects/dialect.ts';
import type { Endpoint } from '../../gateway/endpoints.ts';

export const V1 = '/v1/';
/** The route of paths without a row. */
export const PASS_THROUGH_PATH = '/v1/*path';

/** Maps any spelling of a path to the path of its route. */
export type PathReader = (path: string) => string;

/**
 * Creates the path reader. Clients join base URLs carelessly: `//v1/x`, `/v1//x`, `/v1/v1/x`, a trailing slash, or `/x` for an
 * endpoint that is also served without `/v1`. All spellings lead to the same route with the same access.
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

/** Creates a function that tells the protocol in which a path answers, also below an endpoint; null: in OpenAI's usual form. */
export function createDialectReader(endpoints: readonly Endpoint[]): (path: string) => Dialect | null {
  const rows = endpoints.flatMap(({ path, dialect }) =>
    dialect === null ? [] : [{ path: `/v1/${path}`, dialect }],
  );
  return (path) => {
    for (const row of rows) {
      if (path.startsWith(row.path) && (path.length === row.path.length || path[row.path.length] === '/'))
        return row.dialect;
    }
    return null;
  };
}

/** Creates a function that tells the endpoint of a route, for the books; null: requests to it are no calls. */
export function createEndpointNamer(
  endpoints: readonly Endpoint[],
): (routePath: string, path: string) => string | null {
  const names = new Map(
    endpoints.flatMap(({ path, isCounted }) => (isCounted ? [[`/v1/${path}`, path]] : [])),
  );
  return (routePath, path) => {
    if (routePath !== PASS_THROUGH_PATH) return names.get(routePath) ?? null;
    // The first step alone: the others are ids.
    return /^[a-z][a-z_-]{0,39}(?=\/|$)/.exec(path.slice(V1.length))?.[0] ?? 'other';
  };
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
