import { isRecord, parseJson } from '../../json/value.ts';

/** Under these names models write the input of a freeform tool. */
const NAMES = ['input', 'patch', 'content'] as const;
const FENCED = /^\s*```[^\n`]*\n([\s\S]*?)\n?```\s*$/;

/** The raw input of a freeform tool from the arguments of a function call; a text that is no such JSON is the input itself. */
export function rawInput(text: string): string {
  const value = parseJson(text);
  return withoutFence(typeof value === 'string' ? value : isRecord(value) ? (textIn(value) ?? text) : text);
}

function textIn(value: Record<string, unknown>): string | null {
  for (const name of NAMES) if (typeof value[name] === 'string') return value[name];
  const values = Object.values(value);
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : null;
}

function withoutFence(text: string): string {
  return FENCED.exec(text)?.[1] ?? text;
}
