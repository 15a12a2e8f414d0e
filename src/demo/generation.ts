import { isRecord } from '../json/value.ts';
import { answerTo, thoughtsOn } from './answers.ts';
import type { Conversation } from './conversation.ts';
import { invalidValue, type JsonObject } from './fields.ts';
import { sampleFor } from './schema.ts';
import { toPieces } from './tokens.ts';
import { chooseCalls, readTools, type ToolCall } from './tools.ts';

/** What the model "generated" for one choice, before an API gives it its shape. */
export interface Generation {
  /** The answer in the pieces that it is streamed in; empty where tools are called. */
  readonly pieces: readonly string[];
  /** What a reasoning model says first; empty for all others. */
  readonly reasoning: readonly string[];
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  /** Tokens of answer, reasoning and arguments together. */
  readonly tokens: number;
}

/** What shapes a generation besides the conversation. */
export interface GenerationOptions {
  readonly model: string;
  /** The whole request; `tools`, `tool_choice` and `parallel_tool_calls` are read from it. */
  readonly body: JsonObject;
  /** The format asked for, in the Responses API's flat shape: `{type, schema?}`. */
  readonly format: JsonObject;
  readonly stop: readonly string[];
  readonly maxTokens: number | undefined;
  /** Which of several choices this is, from zero. */
  readonly choice: number;
}

/** Makes the answer for one choice: tool calls, structured output or text, cut at stop words and token limit. */
export function generate(conversation: Conversation, options: GenerationOptions): Generation {
  const toolCalls = chooseCalls(readTools(options.body['tools']), options.body, conversation);
  if (toolCalls.length > 0) {
    const tokens = toolCalls.reduce((sum, call) => sum + 1 + toPieces(call.arguments).length, 0);
    return { pieces: [], reasoning: [], toolCalls, finishReason: 'tool_calls', tokens };
  }
  const reasoning = options.model === 'demo-reasoner' ? toPieces(thoughtsOn(conversation)) : [];
  const text = cutAtStop(contentFor(conversation, options), options.stop);
  const whole = toPieces(text);
  const pieces = whole.slice(0, options.maxTokens ?? whole.length);
  const finishReason = pieces.length < whole.length ? 'length' : 'stop';
  return { pieces, reasoning, toolCalls, finishReason, tokens: pieces.length + reasoning.length };
}

/** Reads the stop words of a chat or completion request: absent, one, or up to four. Throws 400. */
export function readStop(body: JsonObject): string[] {
  const stop = body['stop'] ?? [];
  const words = typeof stop === 'string' ? [stop] : stop;
  const isValid =
    Array.isArray(words) && words.length <= 4 && words.every((word) => typeof word === 'string');
  if (!isValid) throw invalidValue('stop', 'a string or up to four strings');
  return words.filter((word) => word !== '');
}

function contentFor(conversation: Conversation, options: GenerationOptions): string {
  const { format, model, choice } = options;
  if (format['type'] === 'json_schema') {
    return JSON.stringify(sampleFor(format['schema'], { text: conversation.text }));
  }
  const answer = answerTo(conversation, model);
  if (format['type'] === 'json_object') return JSON.stringify({ answer, provider: 'demo' });
  return choice === 0 ? answer : `${answer}\n\n(Choice ${choice + 1})`;
}

function cutAtStop(text: string, stop: readonly string[]): string {
  const ends = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}

/** Reads a chat request's `response_format` into the flat shape. Throws 400 for an unknown type. */
export function readChatFormat(body: JsonObject): JsonObject {
  return readFormat(body['response_format'], 'response_format');
}

/** Reads a Responses request's `text.format`. Throws 400 for an unknown type. */
export function readTextFormat(body: JsonObject): JsonObject {
  const text = body['text'];
  return readFormat(isRecord(text) ? text['format'] : undefined, 'text.format');
}

function readFormat(value: unknown, param: string): JsonObject {
  const format = value ?? { type: 'text' };
  if (!isRecord(format) || !['text', 'json_object', 'json_schema'].includes(String(format['type']))) {
    throw invalidValue(param, 'an object with type text, json_object or json_schema');
  }
  return isRecord(format['json_schema']) ? { ...format['json_schema'], type: format['type'] } : format;
}
