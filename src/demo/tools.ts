import { isRecord } from '../json/value.ts';
import type { JsonObject } from './fields.ts';
import { sampleFor } from './schema.ts';

/** A function that the caller offers, in either API's shape. */
export interface OfferedTool {
  readonly name: string;
  readonly parameters: unknown;
}

/** One call of a function, as the model would ask for it. */
export interface ToolCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

const MAX_CALLS = 8;
const COMMON_WORDS = new Set([
  'fetch',
  'find',
  'list',
  'make',
  'create',
  'current',
  'lookup',
  'search',
  'with',
]);

/** Reads the offered functions: nested under `function` (chat) or flat (Responses); other tools are skipped. */
export function readTools(tools: unknown): OfferedTool[] {
  const offered: OfferedTool[] = [];
  for (const tool of Array.isArray(tools) ? tools : []) {
    if (!isRecord(tool) || tool['type'] !== 'function') continue;
    const shape = isRecord(tool['function']) ? tool['function'] : tool;
    if (typeof shape['name'] === 'string')
      offered.push({ name: shape['name'], parameters: shape['parameters'] });
  }
  return offered;
}

/**
 * Decides which of the offered functions to call. With `auto` those that the user's text speaks of, and none
 * once a tool has answered; `required` and a named function always call. The arguments satisfy the function's
 * schema and are made from the text.
 */
export function chooseCalls(
  tools: readonly OfferedTool[],
  body: JsonObject,
  conversation: { readonly text: string; readonly toolResult: string | null },
): ToolCall[] {
  const choice = body['tool_choice'] ?? 'auto';
  const wanted = wantedTools(tools, choice, conversation);
  const limit = body['parallel_tool_calls'] === false ? 1 : MAX_CALLS;
  return wanted.slice(0, limit).map((tool) => ({
    name: tool.name,
    arguments: JSON.stringify(sampleFor(objectSchema(tool.parameters), { text: conversation.text })),
  }));
}

function wantedTools(
  tools: readonly OfferedTool[],
  choice: unknown,
  conversation: { readonly text: string; readonly toolResult: string | null },
): readonly OfferedTool[] {
  if (choice === 'none') return [];
  const forced = forcedName(choice);
  if (forced !== null) return tools.filter((tool) => tool.name === forced).slice(0, 1);
  const mentioned = tools.filter((tool) => speaksOf(conversation.text, tool.name));
  if (choice === 'required') return mentioned.length > 0 ? mentioned : tools.slice(0, 1);
  if (conversation.toolResult !== null) return [];
  if (mentioned.length > 0) return mentioned;
  return /\b(?:use|call|run)\b.{0,30}\b(?:tool|function)s?\b/i.test(conversation.text)
    ? tools.slice(0, 1)
    : [];
}

function forcedName(choice: unknown): string | null {
  if (!isRecord(choice)) return null;
  const shape = isRecord(choice['function']) ? choice['function'] : choice;
  return typeof shape['name'] === 'string' ? shape['name'] : null;
}

function speaksOf(text: string, name: string): boolean {
  const lower = text.toLowerCase();
  if (lower.includes(name.toLowerCase())) return true;
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
  return words.some((word) => word.length >= 4 && !COMMON_WORDS.has(word) && lower.includes(word));
}

function objectSchema(parameters: unknown): JsonObject {
  return isRecord(parameters) ? { type: 'object', ...parameters } : { type: 'object' };
}
