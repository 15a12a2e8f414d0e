import { isRecord } from '../../json/value.ts';
import type { ProviderOptions } from '../../store/entities.ts';
import { OPTION_RULES } from '../../store/record-rules.ts';
import { refuseUnbuilt, wrong } from '../fields.ts';

/** Their default, `auto`, is what the server does. */
const UNBUILT = ['responses', 'messages'];

/**
 * Reads a provider's options. A given member replaces the old one, null removes it, unknown members are ignored.
 * @throws HttpError `invalid_value`, `unsupported_parameter`.
 */
export function toProviderOptions(value: unknown, before: ProviderOptions): ProviderOptions {
  if (value === null) return {};
  if (!isRecord(value)) throw wrong('options', 'must be an object');
  for (const name of UNBUILT) {
    const param = `options.${name}`;
    if (value[name] !== 'auto') refuseUnbuilt(new Map([[param, value[name]]]), [param]);
  }
  const options: Record<string, unknown> = { ...before };
  for (const [name, rule] of Object.entries(OPTION_RULES)) {
    const given = value[name];
    if (given === null) delete options[name];
    else if (given !== undefined && !rule.isRight(given))
      throw wrong(`options.${name}`, `must be ${rule.expected}`);
    else if (given !== undefined) options[name] = given;
  }
  return options;
}
