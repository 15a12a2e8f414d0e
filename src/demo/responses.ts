import { type DemoAnswer, type DemoCall, eventStream, json, shortSha256 } from './call.ts';
import { type Conversation, readConversation } from './conversation.ts';
import {
  invalidValue,
  missingParameter,
  optionalBoolean,
  optionalInteger,
  optionalString,
} from './fields.ts';
import { type Generation, generate, readTextFormat } from './generation.ts';
import { functionCallItem, type OutputItem, responseEvents, textItem } from './response-events.ts';

/** POST /v1/responses, whole or streamed (OpenAI API reference, Responses). Nothing is stored. */
export function createResponse(call: DemoCall): DemoAnswer {
  const { body } = call;
  const input = body['input'];
  if (input === undefined || input === null) throw missingParameter('input');
  if (typeof input !== 'string' && !Array.isArray(input))
    throw invalidValue('input', 'a string or a list of items');
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  const conversation = readConversation(items, optionalString(body, 'instructions'));
  const maxTokens = optionalInteger(body, 'max_output_tokens', { min: 1, max: 1_000_000 });
  const format = readTextFormat(body);
  const generation = generate(conversation, {
    model: call.model,
    body,
    format,
    stop: [],
    maxTokens,
    choice: 0,
  });
  const output = outputItems(call, generation);
  const started = { ...responseHead(call, format), status: 'in_progress', output: [], usage: null };
  const isCut = generation.finishReason === 'length';
  const finished = {
    ...started,
    status: isCut ? 'incomplete' : 'completed',
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    output: output.map((item) => item.done),
    usage: usageOf(conversation, generation),
  };
  return optionalBoolean(body, 'stream')
    ? eventStream(responseEvents({ started, output, finished }))
    : json(finished);
}

function outputItems(call: DemoCall, generation: Generation): OutputItem[] {
  if (generation.toolCalls.length > 0) {
    return generation.toolCalls.map((toolCall, index) =>
      functionCallItem(shortSha256(`${call.id} ${index}`, 24), toolCall),
    );
  }
  return [textItem(call.id, generation.pieces, generation.finishReason === 'length')];
}

function responseHead(call: DemoCall, format: object): object {
  const { body } = call;
  return {
    id: `resp_${call.id}`,
    object: 'response',
    created_at: call.createdSeconds,
    error: null,
    incomplete_details: null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    model: call.model,
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: body['temperature'] ?? 1,
    text: { format },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: body['top_p'] ?? 1,
    truncation: 'disabled',
    user: null,
    metadata: body['metadata'] ?? {},
  };
}

function usageOf(conversation: Conversation, generation: Generation): object {
  return {
    input_tokens: conversation.promptTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: generation.tokens,
    output_tokens_details: { reasoning_tokens: generation.reasoning.length },
    total_tokens: conversation.promptTokens + generation.tokens,
  };
}
