import { decodeSegment } from './request-target.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A row of the route table. In `path`, `:name` matches one segment and a final `*name` all remaining segments. */
export interface Route<T> {
  readonly method: Method;
  readonly path: string;
  readonly value: T;
}

export type Params = ReadonlyMap<string, string>;

export type Match<T> =
  | { readonly kind: 'found'; readonly route: Route<T>; readonly params: Params }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown' };

const NO_PARAMS: Params = new Map();
const UNKNOWN = { kind: 'unknown' } as const;

/** Finds the row for a method and a path: exact paths by one look-up, then paths with parameters in their order. */
export class Router<T> {
  readonly #exact = new Map<string, Map<string, Route<T>>>();
  readonly #patterns: { readonly segments: readonly string[]; readonly methods: Map<string, Route<T>> }[] =
    [];

  constructor(routes: readonly Route<T>[]) {
    for (const route of routes) {
      const methods = /[:*]/.test(route.path)
        ? this.#patternMethods(route.path)
        : this.#exactMethods(route.path);
      if (methods.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`);
      methods.set(route.method, route);
    }
  }

  /** The GET row serves HEAD. The path is compared undecoded; only parameters are percent-decoded. */
  match(method: string, path: string): Match<T> {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return pick(exact, method, NO_PARAMS);
    const asked = path.split('/');
    for (const { segments, methods } of this.#patterns) {
      const params = fit(segments, asked);
      if (params !== null) return pick(methods, method, params);
    }
    return UNKNOWN;
  }

  #exactMethods(path: string): Map<string, Route<T>> {
    const known = this.#exact.get(path) ?? new Map<string, Route<T>>();
    this.#exact.set(path, known);
    return known;
  }

  #patternMethods(path: string): Map<string, Route<T>> {
    const segments = path.split('/');
    const known = this.#patterns.find((pattern) => pattern.segments.join('/') === path);
    if (known !== undefined) return known.methods;
    const methods = new Map<string, Route<T>>();
    this.#patterns.push({ segments, methods });
    return methods;
  }
}

function pick<T>(methods: Map<string, Route<T>>, method: string, params: Params): Match<T> {
  const route = methods.get(method === 'HEAD' ? 'GET' : method);
  if (route !== undefined) return { kind: 'found', route, params };
  const allow = [...methods.keys()].flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
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
