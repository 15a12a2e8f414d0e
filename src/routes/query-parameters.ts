import { toOneOf, wrong } from './fields.ts';

const TIME = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** The parameters of a list's query. Values are trimmed; an empty one counts as absent, as forms send it. */
export class QueryParameters {
  readonly #values: URLSearchParams;

  /** @param query without its `?` */
  constructor(query: string) {
    this.#values = new URLSearchParams(query);
  }

  /** The value of a parameter, or null. @throws HttpError `invalid_value` if it is given twice. */
  text(name: string): string | null {
    const [first, ...others] = this.#values.getAll(name);
    if (others.length > 0) throw wrong(name, 'must be given once');
    return first?.trim() || null;
  }

  /** A parameter that must be one of some words, or null. @throws HttpError `invalid_value`. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T | null {
    const text = this.text(name);
    return text === null ? null : toOneOf(text, name, allowed);
  }

  /** A time in milliseconds since the epoch, or null. @throws HttpError `invalid_value`. */
  time(name: string): number | null {
    // An unencoded plus sign arrives as a space.
    const text = this.text(name)?.replace(' ', '+') ?? null;
    if (text === null) return null;
    const [, date = ''] = TIME.exec(text) ?? [];
    const timeMs = isDate(date) ? Date.parse(text) : Number.NaN;
    if (!Number.isNaN(timeMs)) return timeMs;
    throw wrong(name, 'must be a time such as 2030-01-31T00:00:00Z');
  }
}

/** False for days such as February 30, which `Date.parse` takes for the first days of March. */
function isDate(date: string): boolean {
  const timeMs = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(date);
}
