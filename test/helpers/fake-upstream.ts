import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { closeAfter } from './teardown.ts';

/** One request that arrived, whole. */
export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface FakeUpstream {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Every request that arrived whole, oldest first. */
  readonly received: ReceivedRequest[];
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** How the next requests are answered. */
  answer: Answer;
}

/** Answers a request; its body has been read, unless the server was started with `readBodies: false`. */
export type Answer = (req: IncomingMessage, res: ServerResponse, request: ReceivedRequest) => void;

/** A provider that does what the test says: misbehaving included. It ends with the test. */
export async function startUpstream(
  t: TestContext,
  answer: Answer,
  { readBodies = true } = {},
): Promise<FakeUpstream> {
  const received: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  const upstream = { origin: '', received, sockets, answer };
  const server = createServer((req, res) => {
    const request = {
      method: req.method ?? '',
      url: req.url ?? '',
      headers: req.headers,
      rawHeaders: req.rawHeaders,
    };
    if (!readBodies) return upstream.answer(req, res, { ...request, body: Buffer.alloc(0) });
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const whole = { ...request, body: Buffer.concat(chunks) };
      received.push(whole);
      upstream.answer(req, res, whole);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeAfter(t, () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  upstream.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return upstream;
}

/** Answers with JSON. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_req, res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
}

/** A chat completion such as OpenAI's. */
export const CHAT_ANSWER = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'upstream-model',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
