import { isRecord } from '../../json/value.ts';
import type { ProviderOptions } from '../../store/entities.ts';
import { OPTION_RULES } from '../../store/record-rules.ts';
import { refuseUnbuilt } from '../fields.ts';
import { toOptions } from './options.ts';

/** Their default, `auto`, is what the server does. */
const UNBUILT = ['responses', 'messages'];

/** Reads a provider's options, see `toOptions`. @throws HttpError `invalid_value`, `unsupported_parameter`. */
export function toProviderOptions(value: unknown, before: ProviderOptions): ProviderOptions {
  for (const name of isRecord(value) ? UNBUILT : []) {
    const param = `options.${name}`;
    const given = isRecord(value) ? value[name] : null;
    if (given !== 'auto') refuseUnbuilt(new Map([[param, given]]), [param]);
  }
  return toOptions(value, before, OPTION_RULES);
}
