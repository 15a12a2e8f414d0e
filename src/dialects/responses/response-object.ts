import { isRecord, parseJson } from '../../json/value.ts';
import type { ChatUsage } from '../chat-events.ts';

type Body = Readonly<Record<string, unknown>>;

/** What of a response is known before the model answers. */
export interface ResponseHead {
  readonly id: string;
  readonly createdAt: number;
  /** The members that repeat the request's, as a JSON object: a response is written three times in a stream. */
  readonly echo: string;
}

/** How far a response is. */
export interface ResponseState {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  readonly output: readonly object[];
  /** Seconds since the epoch; null: it is not completed. */
  readonly completedAt?: number;
  readonly incompleteReason?: 'max_output_tokens' | 'content_filter';
  readonly error?: { readonly code: string; readonly message: string };
  readonly usage?: ChatUsage;
}

/** The members of a response that repeat the request's, with OpenAI's defaults for those that it leaves out. */
export function echoOf(body: Body, modelId: string): Body {
  const { text, reasoning } = body;
  return {
    model: modelId,
    previous_response_id: null,
    instructions: body['instructions'] ?? null,
    tools: body['tools'] ?? [],
    tool_choice: body['tool_choice'] ?? 'auto',
    truncation: 'disabled',
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    text: { format: { type: 'text' }, ...withoutNulls(text) },
    top_p: body['top_p'] ?? 1,
    presence_penalty: body['presence_penalty'] ?? 0,
    frequency_penalty: body['frequency_penalty'] ?? 0,
    top_logprobs: body['top_logprobs'] ?? 0,
    temperature: body['temperature'] ?? 1,
    reasoning: { effort: null, summary: null, ...withoutNulls(reasoning) },
    max_output_tokens: body['max_output_tokens'] ?? null,
    max_tool_calls: body['max_tool_calls'] ?? null,
    store: false,
    background: false,
    service_tier: 'default',
    metadata: body['metadata'] ?? {},
    safety_identifier: body['safety_identifier'] ?? null,
    prompt_cache_key: body['prompt_cache_key'] ?? null,
  };
}

function withoutNulls(value: unknown): Body {
  return isRecord(value)
    ? Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
    : {};
}

/** A response object (OpenAI API reference, "The response object"); all members are always there. */
export function responseObject(head: ResponseHead, state: ResponseState): Record<string, unknown> {
  const echo = parseJson(head.echo);
  return { ...ownMembers(head, state), ...(isRecord(echo) ? echo : {}) };
}

/** The same as JSON. */
export function responseJson(head: ResponseHead, state: ResponseState): string {
  return `${JSON.stringify(ownMembers(head, state)).slice(0, -1)},${head.echo.slice(1)}`;
}

function ownMembers({ id, createdAt }: ResponseHead, state: ResponseState): Record<string, unknown> {
  const { status, output, completedAt, incompleteReason, error, usage } = state;
  return {
    id,
    object: 'response',
    created_at: createdAt,
    completed_at: completedAt ?? null,
    status,
    incomplete_details: incompleteReason === undefined ? null : { reason: incompleteReason },
    error: error ?? null,
    output,
    usage: usage === undefined ? null : usageObject(usage),
  };
}

function usageObject(usage: ChatUsage): object {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = usage;
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens ?? 0 },
    total_tokens: promptTokens + completionTokens,
  };
}
