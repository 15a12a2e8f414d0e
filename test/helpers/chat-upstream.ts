import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { type FakeUpstream, startUpstream } from './fake-upstream.ts';

/** A chat request as the provider got it. */
export interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly {
    readonly role: string;
    readonly content: unknown;
    readonly tool_call_id?: string;
  }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly [field: string]: unknown;
}

/** What the model says. */
export interface Said {
  readonly content?: string;
  readonly reasoning?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: object }[];
  readonly reason?: string;
  /** The stream ends with this error instead of a reason. */
  readonly error?: object;
}

/** The usage that it reports. */
export const SAID_USAGE = {
  prompt_tokens: 30,
  completion_tokens: 5,
  total_tokens: 35,
  prompt_tokens_details: { cached_tokens: 10 },
};

/**
 * A provider that speaks chat completions alone and says what the test says, whole or streamed in small pieces. `requests` are
 * those that it got.
 * @param say gets the request, and its number from 0 on
 */
export async function startChat(
  t: TestContext,
  say: (chat: ChatRequest, turn: number) => Said,
): Promise<FakeUpstream & { readonly requests: ChatRequest[] }> {
  const requests: ChatRequest[] = [];
  const upstream = await startUpstream(t, (_req, res, { url, body }) => {
    if (url !== '/v1/chat/completions') {
      res.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}');
      return;
    }
    const chat = JSON.parse(body.toString()) as ChatRequest;
    requests.push(chat);
    const said = say(chat, requests.length - 1);
    if (chat.stream === true) sendStream(res, said);
    else sendWhole(res, said);
  });
  return Object.assign(upstream, { requests });
}

function sendWhole(res: ServerResponse, said: Said): void {
  const message = {
    role: 'assistant',
    content: said.content ?? null,
    ...(said.reasoning === undefined ? {} : { reasoning_content: said.reasoning }),
    ...(said.calls === undefined ? {} : { tool_calls: said.calls.map(toCall) }),
  };
  const choices = [{ index: 0, message, finish_reason: reasonOf(said) }];
  res.writeHead(200, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ id: 'c', object: 'chat.completion', model: 'up', choices, usage: SAID_USAGE }));
}

function sendStream(res: ServerResponse, said: Said): void {
  const send = (value: unknown): void => void res.write(`data: ${JSON.stringify(value)}\n\n`);
  const chunk = (delta: object, reason: string | null = null): void =>
    send({
      id: 'c',
      object: 'chat.completion.chunk',
      model: 'up',
      choices: [{ index: 0, delta, finish_reason: reason }],
    });
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  chunk({ role: 'assistant', content: '' });
  for (const piece of piecesOf(said.reasoning ?? '')) chunk({ reasoning_content: piece });
  for (const piece of piecesOf(said.content ?? '')) chunk({ content: piece });
  for (const [index, call] of (said.calls ?? []).entries()) {
    const { function: called, ...head } = toCall(call);
    chunk({ tool_calls: [{ index, ...head, function: { name: called.name, arguments: '' } }] });
    for (const piece of piecesOf(called.arguments))
      chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  if (said.error === undefined) {
    chunk({}, reasonOf(said));
    send({ id: 'c', object: 'chat.completion.chunk', model: 'up', choices: [], usage: SAID_USAGE });
    res.write('data: [DONE]\n\n');
  } else send({ error: said.error });
  res.end();
}

function toCall({ id, name, input }: { readonly id: string; readonly name: string; readonly input: object }) {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function reasonOf({ reason, calls }: Said): string {
  return reason ?? (calls === undefined ? 'stop' : 'tool_calls');
}

function piecesOf(text: string): string[] {
  return text.match(/[\s\S]{1,7}/g) ?? [];
}
