/** One chat completion: reads text, thoughts, tool calls and sources from the response. Has no DOM. */
import { readSse } from '../../lib/sse-client.js';
import { failureIn, parseJson, readFailure, ServerFailure } from './failure.js';
import { readSources } from './sources.js';
import { createThoughtSplitter } from './thoughts.js';

/**
 * @typedef {import('../types.js').ChatSettings} ChatSettings
 * @typedef {import('../types.js').Send} Send
 * @typedef {import('../types.js').Source} Source
 * @typedef {import('../types.js').ToolCall} ToolCall
 * @typedef {import('../types.js').Usage} Usage
 * @typedef {{ onText: (text: string) => void, onThought: (text: string) => void, onToolCalls: (calls: ToolCall[]) => void,
 *   onSources: (sources: Source[]) => void }} Listener
 * @typedef {{ usage: Usage | null, costUsd: number | null, finishReason: string | null, isComplete: boolean }} Outcome
 *   costUsd: as the provider reports it
 */

/**
 * Builds the body of `POST /v1/chat/completions`.
 * @param {{ model: string, messages: readonly unknown[], settings: ChatSettings }} request
 * @returns {Record<string, unknown>}
 */
export function toChatBody({ model, messages, settings }) {
  const system = settings.system.trim() === '' ? [] : [{ role: 'system', content: settings.system }];
  return {
    model,
    messages: [...system, ...messages],
    ...(settings.temperature === null ? {} : { temperature: settings.temperature }),
    ...(settings.maxTokens === null ? {} : { max_tokens: settings.maxTokens }),
    ...(settings.isStreaming ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
}

/**
 * Sends a chat completion and passes the parts of the answer to the listener, streamed or not. If the provider refuses
 * `stream_options`, the request is sent again without it.
 * @param {{ send: Send, body: Record<string, unknown>, signal: AbortSignal, listener: Listener }} call
 * @returns {Promise<Outcome>}
 * @throws {ServerFailure} for an error response or an error in the stream; an AbortError when aborted
 */
export async function completeChat({ send, body, signal, listener }) {
  let response = await post(send, body, signal);
  if (response.status === 400 && 'stream_options' in body) {
    const failure = await readFailure(response);
    if (!failure.message.includes('stream_options')) throw failure;
    const { stream_options: _, ...rest } = body;
    response = await post(send, rest, signal);
  }
  if (!response.ok) throw await readFailure(response);
  const reader = createAnswerReader(listener);
  const detail = { status: response.status, requestId: response.headers.get('x-request-id') };
  if (response.headers.get('content-type')?.includes('text/event-stream') && response.body) {
    for await (const { data } of readSse(response.body)) {
      if (data.startsWith('[DONE]')) {
        reader.outcome.isComplete = true;
        break;
      }
      const failure = reader.take(parseJson(data), detail);
      if (failure) throw failure;
    }
  } else {
    const text = await response.text();
    const failure = reader.take(parseJson(text), detail);
    if (failure) throw failure;
    if (!reader.outcome.isComplete)
      throw new ServerFailure(`The answer is not a chat completion: ${text.slice(0, 500)}`, detail);
  }
  reader.finish();
  return reader.outcome;
}

/**
 * @param {Send} send
 * @param {Record<string, unknown>} body
 * @param {AbortSignal} signal
 */
function post(send, body, signal) {
  const headers = { 'content-type': 'application/json' };
  return send('/v1/chat/completions', { method: 'POST', headers, body: JSON.stringify(body), signal });
}

/** @param {Listener} listener */
function createAnswerReader(listener) {
  const thoughts = createThoughtSplitter(listener);
  /** @type {ToolCall[]} */
  const toolCalls = [];
  /** @type {Outcome} */
  const outcome = { usage: null, costUsd: null, finishReason: null, isComplete: false };

  /** @param {any[]} calls */
  function takeToolCalls(calls) {
    for (const [at, call] of calls.slice(0, 128).entries()) {
      const index = Number.isInteger(call?.index) && call.index >= 0 && call.index < 128 ? call.index : at;
      toolCalls[index] ??= { id: '', name: '', arguments: '' };
      const known = toolCalls[index];
      if (typeof call?.id === 'string') known.id = call.id;
      if (typeof call?.function?.name === 'string') known.name += call.function.name;
      if (typeof call?.function?.arguments === 'string') known.arguments += call.function.arguments;
    }
    listener.onToolCalls(toolCalls.filter(Boolean));
  }

  return {
    outcome,
    /**
     * @param {any} chunk parsed: a chunk of a stream, or a whole completion
     * @param {import('./failure.js').FailureDetail} detail
     */
    take(chunk, detail) {
      const failure = failureIn(chunk, detail);
      if (failure) return failure;
      takeUsage(chunk, outcome);
      const choice = chunk?.choices?.[0];
      const piece = choice?.delta ?? choice?.message ?? {};
      const sources = readSources(chunk, piece);
      if (sources.length > 0) listener.onSources(sources);
      if (!choice) return null;
      const thought = piece.reasoning_content ?? piece.reasoning;
      if (typeof thought === 'string' && thought !== '') listener.onThought(thought);
      takeContent(piece.content, thoughts);
      if (typeof piece.refusal === 'string') thoughts.push(piece.refusal);
      if (Array.isArray(piece.tool_calls)) takeToolCalls(piece.tool_calls);
      if (typeof choice.finish_reason === 'string') outcome.finishReason = choice.finish_reason;
      if (outcome.finishReason !== null || choice.message) outcome.isComplete = true;
      return null;
    },
    finish: () => thoughts.finish(),
  };
}

/**
 * Content is a string, or a list of parts with some providers.
 * @param {unknown} content
 * @param {ReturnType<typeof createThoughtSplitter>} thoughts
 */
function takeContent(content, thoughts) {
  if (typeof content === 'string') thoughts.push(content);
  else if (Array.isArray(content)) {
    for (const part of content) if (typeof part?.text === 'string') thoughts.push(part.text);
  }
}

/**
 * Usage from `usage` (OpenAI; `cost` from OpenRouter) or `x_groq.usage` (Groq).
 * @param {any} chunk
 * @param {Outcome} outcome
 */
function takeUsage(chunk, outcome) {
  const usage = chunk?.usage ?? chunk?.x_groq?.usage;
  if (!usage) return;
  /** @param {unknown} value */
  const toCount = (value) => (typeof value === 'number' && value >= 0 ? value : null);
  outcome.usage = {
    promptTokens: toCount(usage.prompt_tokens),
    completionTokens: toCount(usage.completion_tokens),
    cachedTokens: toCount(usage.prompt_tokens_details?.cached_tokens),
  };
  outcome.costUsd = toCount(usage.cost);
}
