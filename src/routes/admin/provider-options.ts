import type { ProviderOptions } from '../../store/entities.ts';
import { OPTION_RULES } from '../../store/record-rules.ts';
import { toOptions } from './options.ts';

/** Reads a provider's options, see `toOptions`. @throws HttpError `invalid_value`. */
export function toProviderOptions(value: unknown, before: ProviderOptions): ProviderOptions {
  return toOptions(value, before, OPTION_RULES);
}
