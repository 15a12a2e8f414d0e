import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { type FakeUpstream, type ReceivedRequest, startUpstream } from './fake-upstream.ts';

type Json = Record<string, unknown>;

/** What a provider answers: a message and why it ends; or whatever the test does with the connection. */
export type ChatReply =
  | { readonly message: Json; readonly finish?: string; readonly usage?: Json | null }
  | ((res: ServerResponse, request: ReceivedRequest) => void);

export interface ChatProvider extends FakeUpstream {
  /** What is answered next, in this order; the last one again and again. */
  replies: readonly ChatReply[];
  /** The bodies of the chat requests that arrived, oldest first. */
  chats(): Json[];
}

export const REPORTED = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };

/** A provider that has chat completions and nothing else, and streams its answers in pieces of a few characters. */
export async function startChatProvider(
  t: TestContext,
  ...replies: readonly ChatReply[]
): Promise<ChatProvider> {
  const isChat = ({ url }: ReceivedRequest): boolean => url.endsWith('/chat/completions');
  let asked = 0;
  const upstream = await startUpstream(t, (_req, res, request) => {
    if (!isChat(request)) {
      res.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}');
      return;
    }
    const reply = provider.replies[Math.min(asked++, provider.replies.length - 1)];
    if (typeof reply === 'function') reply(res, request);
    else if (reply !== undefined) answerChat(res, JSON.parse(request.body.toString()), reply);
  });
  const provider = Object.assign(upstream, {
    replies,
    chats: () => upstream.received.filter(isChat).map(({ body }): Json => JSON.parse(body.toString())),
  });
  return provider;
}

function answerChat(
  res: ServerResponse,
  { stream, model }: Json,
  { message, finish = 'stop', usage = REPORTED }: Exclude<ChatReply, (...args: never) => void>,
): void {
  const head = { id: 'chatcmpl-1', created: 1_700_000_000, model };
  if (stream !== true) {
    const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }];
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(
      JSON.stringify({ ...head, object: 'chat.completion', choices, ...(usage === null ? {} : { usage }) }),
    );
    return;
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (choices: readonly Json[], more: Json = {}): void => {
    res.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`);
  };
  send([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
  for (const delta of deltasOf(message)) send([{ index: 0, delta, finish_reason: null }]);
  send([{ index: 0, delta: {}, finish_reason: finish }]);
  if (usage !== null) send([], { usage });
  res.end('data: [DONE]\n\n');
}

function* deltasOf({ tool_calls: calls, ...texts }: Json): Iterable<Json> {
  for (const [name, text] of Object.entries(texts))
    if (typeof text === 'string') for (const piece of piecesOf(text)) yield { [name]: piece };
  if (!Array.isArray(calls)) return;
  for (const [index, { id, function: called }] of (calls as { id: string; function: Json }[]).entries()) {
    yield {
      tool_calls: [{ index, id, type: 'function', function: { name: called['name'], arguments: '' } }],
    };
    for (const piece of piecesOf(String(called['arguments'])))
      yield { tool_calls: [{ index, function: { arguments: piece } }] };
  }
}

function* piecesOf(text: string): Iterable<string> {
  const size = Math.max(7, Math.ceil(text.length / 2_000));
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

/** A call in a message of a model. */
export function toolCall(id: string, name: string, args: unknown): Json {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
}
