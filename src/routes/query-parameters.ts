import { toOneOf, wrong } from './fields.ts';

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
}
