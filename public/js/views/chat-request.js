/** One chat completion: builds the body, and reads text, thoughts and tool calls from the response. Has no DOM. */
import { readSse } from '../lib/sse-client.js';
import { failureIn, parseJson, readFailure, ServerFailure } from './chat-failure.js';
import { createThoughtSplitter } from './chat-thoughts.js';

/**
 * @typedef {{ name: string, type: string, dataUrl: string, file: File }} ChatImage
 * @typedef {{ role: 'user' | 'assistant', text: string, images: readonly ChatImage[], task: import('./chat-tasks.js').Task, fileName: string | null }} ChatMessage
 * @typedef {{ system: string, temperature: number | null, maxTokens: number | null, isStreaming: boolean }} ChatSettings
 * @typedef {{ id: string, name: string, arguments: string }} ToolCall
 * @typedef {{ onText: (text: string) => void, onThought: (text: string) => void, onToolCalls: (calls: ToolCall[]) => void }} Listener
 * @typedef {{ promptTokens: number | null, completionTokens: number | null }} Usage
 * @typedef {{ usage: Usage | null, finishReason: string | null, isComplete: boolean, model: string | null }} Outcome
 * @typedef {(path: string, init: RequestInit) => Promise<Response>} Send
 */

/**
 * Builds the body of `POST /v1/chat/completions`.
 * @param {{ model: string, hasVision: boolean, messages: readonly ChatMessage[], settings: ChatSettings }} request
 *   hasVision: false leaves out the images of earlier messages
 * @returns {Record<string, unknown>}
 */
export function toChatBody({ model, hasVision, messages, settings }) {
  /** @type {unknown[]} */
  const sent = settings.system.trim() === '' ? [] : [{ role: 'system', content: settings.system }];
  for (const message of messages) {
    const images = hasVision && message.task === 'chat' ? message.images : [];
    // The name stands for a file that is not sent, so that the message is not empty.
    const name = images.length === 0 && message.fileName ? `[${message.fileName}]` : '';
    const text = message.text || name;
    if (text === '' && images.length === 0) continue;
    const parts = images.map((image) => ({ type: 'image_url', image_url: { url: image.dataUrl } }));
    const textPart = text === '' ? [] : [{ type: 'text', text }];
    sent.push({ role: message.role, content: parts.length > 0 ? [...textPart, ...parts] : text });
  }
  return {
    model,
    messages: sent,
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
  const outcome = { usage: null, finishReason: null, isComplete: false, model: null };

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
     * @param {import('./chat-failure.js').FailureDetail} detail
     */
    take(chunk, detail) {
      const failure = failureIn(chunk, detail);
      if (failure) return failure;
      if (typeof chunk?.model === 'string') outcome.model = chunk.model;
      outcome.usage = readUsage(chunk) ?? outcome.usage;
      const choice = chunk?.choices?.[0];
      if (!choice) return null;
      const piece = choice.delta ?? choice.message ?? {};
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
 * Usage from `usage` (OpenAI) or `x_groq.usage` (Groq).
 * @param {any} chunk
 * @returns {Usage | null}
 */
function readUsage(chunk) {
  const usage = chunk?.usage ?? chunk?.x_groq?.usage;
  if (!usage) return null;
  /** @param {unknown} value */
  const toCount = (value) => (typeof value === 'number' && value >= 0 ? value : null);
  return {
    promptTokens: toCount(usage.prompt_tokens),
    completionTokens: toCount(usage.completion_tokens),
  };
}
