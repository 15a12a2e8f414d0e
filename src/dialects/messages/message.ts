import type { ChatEnd, ChatUsage } from '../chat-events.ts';

/** The end of a message. */
export interface MessageStop {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
  readonly stop_details: object | null;
}

/** Why a message ends. @param isCut its last call could not be read, so it is not to be run */
export function stopOf({ reason, stopSequence, hasCalls, hasRefusal }: ChatEnd, isCut = false): MessageStop {
  const stop = (name: string, sequence: string | null = null): MessageStop => {
    return { stop_reason: name, stop_sequence: sequence, stop_details: null };
  };
  if (hasRefusal || reason === 'content_filter') {
    const details = { type: 'refusal', category: null, explanation: null };
    return { ...stop('refusal'), stop_details: details };
  }
  if (reason === 'length' || isCut) return stop('max_tokens');
  if (hasCalls) return stop('tool_use');
  if (stopSequence !== null && reason === 'stop') return stop('stop_sequence', stopSequence);
  return stop('end_turn');
}

/** Anthropic counts cached tokens beside `input_tokens`, all others within. */
export function usageOf(usage: ChatUsage): object {
  const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens } = usage;
  return {
    input_tokens: Math.max(0, promptTokens - cachedTokens - cacheWriteTokens),
    output_tokens: completionTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens_details: reasoningTokens === null ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  };
}

/** The members that only a whole message's usage has. */
function wholeUsageOf(usage: ChatUsage): object {
  return {
    ...usageOf(usage),
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWriteTokens, ephemeral_1h_input_tokens: 0 },
    inference_geo: null,
    service_tier: 'standard',
  };
}

/** A message object; without a stop one that has just begun. */
export function messageObject(
  { id, model, usage }: { readonly id: string; readonly model: string; readonly usage: ChatUsage },
  content: readonly object[],
  stop: MessageStop | null,
): object {
  return {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    content,
    container: null,
    ...(stop ?? { stop_reason: null, stop_sequence: null, stop_details: null }),
    usage: wholeUsageOf(usage),
  };
}
