import type { ProviderOptions } from '../../store/entities.ts';
import { OPTION_RULES } from '../../store/record-rules.ts';
import { refuseUnbuiltOptions, toOptions } from './options.ts';

/** Their default, `auto`, is what the server does. */
const UNBUILT = ['responses', 'messages'];

/** Reads a provider's options, see `toOptions`. @throws HttpError `invalid_value`, `unsupported_parameter`. */
export function toProviderOptions(value: unknown, before: ProviderOptions): ProviderOptions {
  refuseUnbuiltOptions(value, UNBUILT);
  return toOptions(value, before, OPTION_RULES);
}
