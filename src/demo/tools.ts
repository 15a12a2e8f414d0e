import { isRecord } from '../json/value.ts';
import type { Conversation } from './conversation.ts';
import type { JsonObject } from './fields.ts';
import { sampleOf } from './schema-sample.ts';

/** A call of a function, as the model asks for it. */
export interface ToolCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

interface OfferedTool {
  readonly name: string;
  readonly parameters: unknown;
}

const MAX_CALLS = 8;

/**
 * Decides which of the offered functions to call. `auto` calls those that the user's text mentions, and none after a
 * tool has answered; `required` and a named function always call. The arguments follow the function's schema and are
 * made from the text.
 */
export function chooseCalls(body: JsonObject, conversation: Conversation): ToolCall[] {
  const limit = body['parallel_tool_calls'] === false ? 1 : MAX_CALLS;
  const wanted = wantedTools(readTools(body['tools']), body['tool_choice'] ?? 'auto', conversation);
  return wanted.slice(0, limit).map(({ name, parameters }) => {
    const schema = { type: 'object', ...(isRecord(parameters) ? parameters : {}) };
    return { name, arguments: JSON.stringify(sampleOf(schema, conversation.text)) };
  });
}

/** Reads the functions: nested under `function` (chat) or flat (Responses). Other tools are skipped. */
function readTools(tools: unknown): OfferedTool[] {
  const offered: OfferedTool[] = [];
  for (const tool of Array.isArray(tools) ? tools : []) {
    if (!isRecord(tool) || tool['type'] !== 'function') continue;
    const { name, parameters } = flat(tool);
    if (typeof name === 'string') offered.push({ name, parameters });
  }
  return offered;
}

function wantedTools(
  tools: readonly OfferedTool[],
  choice: unknown,
  { text, toolResult }: Conversation,
): readonly OfferedTool[] {
  if (choice === 'none') return [];
  if (isRecord(choice)) return tools.filter((tool) => tool.name === flat(choice)['name']);
  if (choice !== 'required' && toolResult !== null) return [];
  const mentioned = tools.filter((tool) => mentions(text, tool.name));
  if (mentioned.length > 0) return mentioned;
  const isAsked = choice === 'required' || /\b(?:use|call|run)\b.{0,30}\b(?:tool|function)s?\b/i.test(text);
  return isAsked ? tools.slice(0, 1) : [];
}

/** True if the text contains the name of the function, or a word of it that has at least four letters. */
function mentions(text: string, name: string): boolean {
  const lower = text.toLowerCase();
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
  return lower.includes(name.toLowerCase()) || words.some((word) => word.length >= 4 && lower.includes(word));
}

function flat(shape: JsonObject): JsonObject {
  return isRecord(shape['function']) ? shape['function'] : shape;
}
