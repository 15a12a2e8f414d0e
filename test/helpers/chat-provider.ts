import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { type FakeUpstream, type ReceivedRequest, startUpstream } from './fake-upstream.ts';

type Json = Record<string, unknown>;

/** A chat request as the provider got it. */
export interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly {
    readonly role: string;
    readonly content: unknown;
    readonly tool_call_id?: string;
  }[];
  readonly [field: string]: unknown;
}

/** What the model says: the members of its message, streamed in this order, and how the answer ends. */
export interface Said {
  readonly content?: string;
  readonly reasoning_content?: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  readonly tool_calls?: readonly ToolCall[];
  /** By default `tool_calls` or `stop`. */
  readonly finish?: string;
  /** The stream ends with this error instead. */
  readonly error?: object;
}

/** What a provider answers; or whatever the test does with the connection. */
export type ChatReply = Said | ((res: ServerResponse, request: ReceivedRequest) => void);

export interface ChatProvider extends FakeUpstream {
  /** What is answered next, in this order; the last one again and again. */
  replies: readonly ChatReply[];
  /** The chat requests that arrived, oldest first. */
  chats(): ChatRequest[];
}

/** The usage that it reports. */
export const REPORTED = {
  prompt_tokens: 30,
  completion_tokens: 5,
  total_tokens: 35,
  prompt_tokens_details: { cached_tokens: 10 },
};

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
    chats: () => upstream.received.filter(isChat).map(({ body }): ChatRequest => JSON.parse(body.toString())),
  });
  return provider;
}

function answerChat(res: ServerResponse, { stream, model }: ChatRequest, said: Said): void {
  const { finish, error, ...message } = said;
  const reason = finish ?? (message.tool_calls === undefined ? 'stop' : 'tool_calls');
  const head = { id: 'chatcmpl-1', created: 1_700_000_000, model };
  if (stream !== true) {
    const whole = { role: 'assistant', content: null, ...message };
    const choices = [{ index: 0, message: whole, finish_reason: reason }];
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage: REPORTED }));
    return;
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (members: object): void => void res.write(`data: ${JSON.stringify(members)}\n\n`);
  const sendChoices = (choices: readonly Json[], more: Json = {}): void =>
    send({ ...head, object: 'chat.completion.chunk', choices, ...more });
  sendChoices([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
  for (const delta of deltasOf(message)) sendChoices([{ index: 0, delta, finish_reason: null }]);
  if (error === undefined) {
    sendChoices([{ index: 0, delta: {}, finish_reason: reason }]);
    sendChoices([], { usage: REPORTED });
    res.write('data: [DONE]\n\n');
  } else send({ error });
  res.end();
}

function* deltasOf({ tool_calls: calls = [], ...texts }: Said): Iterable<Json> {
  for (const [name, text] of Object.entries(texts))
    for (const piece of piecesOf(String(text))) yield { [name]: piece };
  for (const [index, { id, type, function: called }] of calls.entries()) {
    yield { tool_calls: [{ index, id, type, function: { name: called.name, arguments: '' } }] };
    for (const piece of piecesOf(called.arguments))
      yield { tool_calls: [{ index, function: { arguments: piece } }] };
  }
}

function* piecesOf(text: string): Iterable<string> {
  const size = Math.max(7, Math.ceil(text.length / 2_000));
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

interface ToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A call in a message of a model. */
export function toolCall(id: string, name: string, args: unknown): ToolCall {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
}
