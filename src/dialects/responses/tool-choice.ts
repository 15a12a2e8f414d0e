import { HttpError } from '../../errors.ts';
import { isRecord } from '../../json/value.ts';
import type { ClientTool, ToolSet } from './tools.ts';

/** The members of a chat request that offer tools; empty if there are none. */
export interface OfferedTools {
  readonly tools?: readonly unknown[];
  readonly tool_choice?: unknown;
  readonly parallel_tool_calls?: boolean;
}

const MODES: readonly unknown[] = ['auto', 'none', 'required'];

/**
 * The tools that a request offers to the model, and its choice among them.
 * @throws HttpError `invalid_value` for a choice that is none, and for one that names a tool which the model is not offered.
 */
export function offeredTools(request: Record<string, unknown>, tools: ToolSet): OfferedTools {
  const { tool_choice: choice, parallel_tool_calls: isParallel } = request;
  const { chosen, mode } = readChoice(choice, tools);
  if (chosen.length === 0) return {};
  return {
    tools: chosen.map(({ definition }) => definition),
    ...(mode === null ? {} : { tool_choice: mode }),
    ...(typeof isParallel === 'boolean' ? { parallel_tool_calls: isParallel } : {}),
  };
}

interface Choice {
  readonly chosen: readonly ClientTool[];
  readonly mode: unknown;
}

function readChoice(choice: unknown, tools: ToolSet): Choice {
  const { all } = tools;
  if (choice === undefined || choice === null) return { chosen: all, mode: null };
  if (MODES.includes(choice)) return { chosen: all, mode: choice };
  if (!isRecord(choice)) throw invalidChoice('`tool_choice` must be auto, none, required or an object.');
  if (choice['type'] === 'allowed_tools') return allowedTools(choice, tools);
  const tool = namedTool(choice, tools);
  if (tool === undefined)
    throw invalidChoice('`tool_choice` names a tool that is not available for this model.');
  return { chosen: all, mode: { type: 'function', function: { name: tool.chatName } } };
}

function allowedTools({ mode, tools: allowed }: Record<string, unknown>, tools: ToolSet): Choice {
  const list = Array.isArray(allowed) ? allowed.filter(isRecord) : [];
  const named = new Set(list.map((one) => namedTool(one, tools)));
  const chosen = tools.all.filter((tool) => named.has(tool));
  if (chosen.length === 0)
    throw invalidChoice('`tool_choice` allows only tools that are not available for this model.');
  return { chosen, mode: mode === 'required' ? 'required' : 'auto' };
}

function namedTool(
  { type, name, namespace }: Record<string, unknown>,
  tools: ToolSet,
): ClientTool | undefined {
  if (type === 'tool_search') return tools.search;
  if ((type !== 'function' && type !== 'custom') || typeof name !== 'string') return undefined;
  return tools.find(name, typeof namespace === 'string' ? namespace : null);
}

function invalidChoice(message: string): HttpError {
  return new HttpError('invalid_value', message, { param: 'tool_choice' });
}
