import { isRecord } from '../json/value.ts';
import { answerTo, thoughtsOn } from './answers.ts';
import type { DemoCall } from './call.ts';
import type { Conversation } from './conversation.ts';
import { invalidValue, type JsonObject } from './fields.ts';
import { sampleOf } from './schema-sample.ts';
import { chooseCalls, type ToolCall } from './tools.ts';
import { toPieces } from './words.ts';

/** What the model "generates", before an API gives it its shape. */
export interface Generation {
  /** The answer in the pieces that it is streamed in; empty where tools are called. */
  readonly pieces: readonly string[];
  /** What a reasoning model says first; empty for all others. */
  readonly reasoning: readonly string[];
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  readonly promptTokens: number;
  /** Tokens of answer, reasoning and arguments together. */
  readonly tokens: number;
}

/** Bounds for the members that limit the length of an answer, in tokens. */
export const TOKEN_BOUNDS = { min: 1, max: 1_000_000 } as const;

/**
 * Makes the answer to a conversation: tool calls, structured output or text, cut at stop words and at the token limit.
 * `tools`, `tool_choice`, `parallel_tool_calls` and `stop` are read from the call's body.
 * @param options.format in the flat shape of the Responses API, `{type, schema?}`; text if not given.
 * @throws HttpError `invalid_value` for `stop`.
 */
export function generate(
  call: DemoCall,
  conversation: Conversation,
  options: { readonly format?: JsonObject; readonly maxTokens: number | undefined },
): Generation {
  const { promptTokens } = conversation;
  const stop = readStop(call.body);
  const toolCalls = chooseCalls(call.body, conversation);
  if (toolCalls.length > 0) {
    const tokens = toolCalls.reduce((sum, { arguments: text }) => sum + 1 + toPieces(text).length, 0);
    return { pieces: [], reasoning: [], toolCalls, finishReason: 'tool_calls', promptTokens, tokens };
  }
  const reasoning = call.model === 'demo-reasoner' ? toPieces(thoughtsOn(conversation)) : [];
  const whole = toPieces(cutAtStop(contentFor(conversation, call.model, options.format), stop));
  const pieces = whole.slice(0, options.maxTokens ?? whole.length);
  const finishReason = pieces.length < whole.length ? 'length' : 'stop';
  const tokens = pieces.length + reasoning.length;
  return { pieces, reasoning, toolCalls, finishReason, promptTokens, tokens };
}

/**
 * Checks a format and brings it into the flat shape: chat nests the schema under `json_schema`, Responses does not.
 * @throws HttpError `invalid_value` for an unknown type.
 */
export function readFormat(value: unknown, param: string): JsonObject {
  const format = value ?? { type: 'text' };
  if (!isRecord(format) || !['text', 'json_object', 'json_schema'].includes(String(format['type']))) {
    throw invalidValue(param, 'an object with type text, json_object or json_schema');
  }
  return isRecord(format['json_schema']) ? { ...format['json_schema'], type: format['type'] } : format;
}

function contentFor(conversation: Conversation, model: string, format: JsonObject = {}): string {
  if (format['type'] === 'json_schema') return JSON.stringify(sampleOf(format['schema'], conversation.text));
  const answer = answerTo(conversation, model);
  return format['type'] === 'json_object' ? JSON.stringify({ answer, provider: 'demo' }) : answer;
}

function readStop(body: JsonObject): string[] {
  const words = [body['stop'] ?? []].flat();
  const isValid = words.length <= 4 && words.every((word) => typeof word === 'string');
  if (!isValid) throw invalidValue('stop', 'a string or up to four strings');
  return words.filter((word) => word !== '');
}

function cutAtStop(text: string, stop: readonly string[]): string {
  const ends = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}
