import { isRecord } from '../json/value.ts';
import { type DemoAnswer, type DemoCall, eventStream, json, shortSha256 } from './call.ts';
import { readConversation } from './conversation.ts';
import {
  invalidValue,
  missingParameter,
  optionalBoolean,
  optionalInteger,
  optionalString,
} from './fields.ts';
import { type Generation, generate, readFormat, TOKEN_BOUNDS } from './generation.ts';
import { functionCallItem, type OutputItem, responseEvents, textItem } from './response-events.ts';

/** POST /v1/responses, whole or streamed (OpenAI API reference, Responses). Nothing is stored. */
export function createResponse(call: DemoCall): DemoAnswer {
  const { body } = call;
  const input = body['input'] ?? undefined;
  if (input === undefined) throw missingParameter('input');
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  if (!Array.isArray(items)) throw invalidValue('input', 'a string or a list of items');
  const conversation = readConversation(items, optionalString(body, 'instructions'));
  const maxTokens = optionalInteger(body, 'max_output_tokens', TOKEN_BOUNDS);
  const format = readFormat(isRecord(body['text']) ? body['text']['format'] : undefined, 'text.format');
  const isStreamed = optionalBoolean(body, 'stream');
  const generation = generate(call, conversation, { format, maxTokens });
  const output = outputItems(call, generation);
  const started = { ...responseHead(call, format), status: 'in_progress', output: [], usage: null };
  const isCut = generation.finishReason === 'length';
  const finished = {
    ...started,
    status: isCut ? 'incomplete' : 'completed',
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    output: output.map((item) => item.done),
    usage: usageOf(generation),
  };
  return isStreamed ? eventStream(responseEvents({ started, output, finished })) : json(finished);
}

function outputItems(call: DemoCall, generation: Generation): OutputItem[] {
  if (generation.toolCalls.length === 0) {
    return [textItem(call.id, generation.pieces, generation.finishReason === 'length')];
  }
  return generation.toolCalls.map((toolCall, index) =>
    functionCallItem(shortSha256(`${call.id} ${index}`, 24), toolCall),
  );
}

function responseHead({ body, id, createdSeconds, model }: DemoCall, format: object): object {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: createdSeconds,
    error: null,
    incomplete_details: null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    model,
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: body['temperature'] ?? 1,
    text: { format },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: body['top_p'] ?? 1,
    truncation: 'disabled',
    metadata: body['metadata'] ?? {},
  };
}

function usageOf({ promptTokens, tokens, reasoning }: Generation): object {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: tokens,
    output_tokens_details: { reasoning_tokens: reasoning.length },
    total_tokens: promptTokens + tokens,
  };
}
