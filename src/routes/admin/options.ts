import { isRecord } from '../../json/value.ts';
import type { Rule } from '../../store/record-rules.ts';
import { wrong } from '../fields.ts';

/**
 * Reads the field `options` of a record. A given member replaces the old one, null removes it, unknown members are
 * ignored; null instead of an object removes all.
 * @throws HttpError `invalid_value`.
 */
export function toOptions<T extends object>(
  value: unknown,
  before: T,
  rules: Readonly<Record<keyof T & string, Rule>>,
): T {
  const options: Record<string, unknown> = value === null ? {} : { ...before };
  if (value === null) return options as T;
  if (!isRecord(value)) throw wrong('options', 'must be an object');
  for (const [name, rule] of Object.entries<Rule>(rules)) {
    const given = value[name];
    if (given === null) delete options[name];
    else if (given !== undefined && !rule.isRight(given))
      throw wrong(`options.${name}`, `must be ${rule.expected}`);
    else if (given !== undefined) options[name] = given;
  }
  return options as T;
}
