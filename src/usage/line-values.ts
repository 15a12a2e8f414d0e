/** A line does not hold what its reader expects. */
export class MalformedLineError extends Error {
  override readonly name = 'MalformedLineError';
}

/** The largest time of a Date, ECMA-262 section 21.4.1.1. */
const TIME_LIMIT_MS = 8.64e15;

/** @throws MalformedLineError if the value is no text, as every function here for a value that is not of its type. */
export function text(value: unknown): string {
  if (typeof value !== 'string') throw new MalformedLineError('no text');
  return value;
}

/** @throws MalformedLineError */
export function textOrNull(value: unknown): string | null {
  return value === null ? null : text(value);
}

/** @throws MalformedLineError */
export function number(value: unknown): number {
  if (typeof value !== 'number') throw new MalformedLineError('no number');
  return value;
}

/** @throws MalformedLineError */
export function numberOrNull(value: unknown): number | null {
  return value === null ? null : number(value);
}

/** Milliseconds since the epoch that a Date can hold. @throws MalformedLineError */
export function timeMs(value: unknown): number {
  const time = number(value);
  if (Math.abs(time) > TIME_LIMIT_MS) throw new MalformedLineError('no time');
  return time;
}

/** @throws MalformedLineError */
export function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  for (const word of allowed) if (word === value) return word;
  throw new MalformedLineError('an unknown word');
}

/** @throws MalformedLineError */
export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new MalformedLineError('no list');
  return value;
}

/** @throws MalformedLineError */
export function listOrNull<T>(value: unknown, read: (values: readonly unknown[]) => T): T | null {
  return value === null ? null : read(list(value));
}
