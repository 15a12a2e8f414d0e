import { decodeSegment } from './request-target.ts';

/** `ANY` stands for all methods that clients of an API use. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'ANY';

const ANY_METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * A row of the route table: method, path, and what the router hands back. In the path, `:name` matches one segment and a final
 * `*name` all remaining segments.
 */
export type Route = readonly [method: Method, path: string, ...unknown[]];

export type Params = ReadonlyMap<string, string>;

export type Match<R extends Route> =
  | { readonly kind: 'found'; readonly route: R; readonly params: Params }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown' };

const NO_PARAMS: Params = new Map();
const UNKNOWN = { kind: 'unknown' } as const;

/** Finds the row for a method and a path: exact paths by one look-up, then paths with parameters in their order. */
export class Router<R extends Route> {
  readonly #exact = new Map<string, Map<string, R>>();
  readonly #patterns: { readonly segments: readonly string[]; readonly methods: Map<string, R> }[] = [];

  constructor(routes: readonly R[]) {
    for (const route of routes) {
      const [method, path] = route;
      const methods = /[:*]/.test(path) ? this.#patternMethods(path) : this.#exactMethods(path);
      if (methods.has(method)) throw new Error(`two routes for ${method} ${path}`);
      methods.set(method, route);
    }
  }

  /** The GET row serves HEAD. The path is compared undecoded; only parameters are percent-decoded. */
  match(method: string, path: string): Match<R> {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return pick(exact, method, NO_PARAMS);
    const asked = path.split('/');
    for (const { segments, methods } of this.#patterns) {
      const params = fit(segments, asked);
      if (params !== null) return pick(methods, method, params);
    }
    return UNKNOWN;
  }

  #exactMethods(path: string): Map<string, R> {
    const known = this.#exact.get(path) ?? new Map<string, R>();
    this.#exact.set(path, known);
    return known;
  }

  #patternMethods(path: string): Map<string, R> {
    const segments = path.split('/');
    const known = this.#patterns.find((pattern) => pattern.segments.join('/') === path);
    if (known !== undefined) return known.methods;
    const methods = new Map<string, R>();
    this.#patterns.push({ segments, methods });
    return methods;
  }
}

function pick<R extends Route>(methods: Map<string, R>, method: string, params: Params): Match<R> {
  const any = ANY_METHODS.includes(method) ? methods.get('ANY') : undefined;
  const route = methods.get(method === 'HEAD' ? 'GET' : method) ?? any;
  if (route !== undefined) return { kind: 'found', route, params };
  const allow = [...methods.keys()].flatMap((name) =>
    name === 'GET' ? ['GET', 'HEAD'] : name === 'ANY' ? ANY_METHODS : [name],
  );
  return { kind: 'wrong-method', allow: allow.join(', ') };
}

function fit(segments: readonly string[], asked: readonly string[]): Params | null {
  const params = new Map<string, string>();
  for (const [index, segment] of segments.entries()) {
    const isTail = segment.startsWith('*');
    const given = isTail ? asked.slice(index).join('/') : asked[index];
    if (given === undefined) return null;
    if (!isTail && !segment.startsWith(':')) {
      if (given !== segment) return null;
      continue;
    }
    const value = decodeSegment(given);
    if (value === null || value === '') return null;
    params.set(segment.slice(1), value);
    if (isTail) return params;
  }
  return segments.length === asked.length ? params : null;
}
