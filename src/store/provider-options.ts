import type { PathMode, ProviderOptions } from './entities.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const PATH_MODES: readonly PathMode[] = ['auto', 'append-v1', 'exact'];

/** What an option's value must be: as a check, and in words. */
export interface OptionRule {
  readonly expected: string;
  isRight(value: unknown): boolean;
}

const TIMEOUT: OptionRule = {
  expected: `a whole number from 1 to ${DAY_MS}`,
  isRight: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= DAY_MS,
};
const FLAG: OptionRule = { expected: 'true or false', isRight: (value) => typeof value === 'boolean' };

/** The rules of all options, for values from the API and from a file. */
export const OPTION_RULES: Readonly<Record<keyof ProviderOptions, OptionRule>> = {
  pathMode: {
    expected: `one of ${PATH_MODES.join(', ')}`,
    isRight: (value) => PATH_MODES.some((mode) => mode === value),
  },
  transcribePath: {
    expected: 'a path such as /transcribe',
    isRight: (value) => typeof value === 'string' && value.length <= 512 && /^\/(?!\/)[\w./~-]*$/.test(value),
  },
  chutesLanguageHint: FLAG,
  connectTimeoutMs: TIMEOUT,
  headersTimeoutMs: TIMEOUT,
  idleTimeoutMs: TIMEOUT,
};
