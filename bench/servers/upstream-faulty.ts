// An upstream that plays several providers and does to each request what the request's tag says (soak/plan.ts).
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { createRandom, type Random } from '../../test/helpers/fuzz-random.ts';
import { readTag, type Turn } from '../soak/plan.ts';

/** How often each call has arrived; of the latest calls. */
const arrivals = new Map<number, number>();
const REMEMBERED = 10_000;
/** Longer than the proxy's providers are given. */
const SLOW_MS = 10_000;

function nextTurn(id: number, turns: readonly Turn[]): Turn {
  const count = arrivals.get(id) ?? 0;
  arrivals.delete(id);
  arrivals.set(id, count + 1);
  const [oldest] = arrivals.keys();
  if (arrivals.size > REMEMBERED && oldest !== undefined) arrivals.delete(oldest);
  return turns[count] ?? 'ok';
}

function chatAnswer(id: number, random: Random): string {
  const content = `answer ${id} ${'word '.repeat(random.int(2_000))}`;
  const message = { role: 'assistant', content, refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 };
  return JSON.stringify({
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices,
    usage,
  });
}

function vectors(id: number, random: Random): string {
  const embedding = Array.from({ length: 256 + random.int(1_280) }, (_, index) => (index + id) / 4_096);
  const data = [{ object: 'embedding', index: 0, embedding }];
  return JSON.stringify({ object: 'list', data, model: 'm', usage: { prompt_tokens: 8, total_tokens: id } });
}

function record(id: number, delta: object, finishReason: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
  return `data: ${JSON.stringify({ id: `chatcmpl-${id}`, object: 'chat.completion.chunk', choices })}\n\n`;
}

async function sendStream(
  response: ServerResponse,
  id: number,
  random: Random,
  isHalf: boolean,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(record(id, { role: 'assistant', content: '' }));
  const count = 5 + random.int(30);
  for (let sent = 0; sent < count && !response.destroyed; sent++) {
    await wait(5 + random.int(25));
    const content = `word ${'x'.repeat(random.chance(0.05) ? 5_000 : random.int(20))}`;
    if (!isHalf || sent < count / 2) response.write(record(id, { content }));
    else return void response.destroy();
  }
  response.end(`${record(id, {}, 'stop')}data: [DONE]\n\n`);
}

function sendJson(response: ServerResponse, text: string, isHalf: boolean): void {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  response.writeHead(200, headers);
  if (isHalf) response.write(text.slice(0, text.length / 2), () => response.destroy());
  else response.end(text);
}

function sendError(response: ServerResponse, status: number, headers: Record<string, string>): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: { message: `planned ${status}`, type: 'server_error', code: null } }));
}

async function answer(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
  const tag = readTag(body);
  if (tag === null) return sendError(response, 400, {});
  const { id } = tag;
  const random = createRandom(id);
  const turn = nextTurn(id, tag.turns);
  if (turn === 'cut') return void request.socket.destroy();
  await wait(turn === 'slow' ? SLOW_MS : 2 + random.int(40));
  if (response.destroyed) return;
  if (turn === '500') return sendError(response, 500, {});
  if (turn === '503') return sendError(response, 503, random.chance(0.5) ? { 'retry-after-ms': '300' } : {});
  const isHalf = turn === 'half';
  const path = request.url ?? '';
  if (path.endsWith('/embeddings')) return sendJson(response, vectors(id, random), isHalf);
  if (path.endsWith('/transcriptions')) return sendJson(response, `{"text":"answer ${id} heard"}`, isHalf);
  if (body.includes('"stream":true')) return sendStream(response, id, random, isHalf);
  sendJson(response, chatAnswer(id, random), isHalf);
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.method === 'GET') {
    response.end('ok');
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('error', () => {});
  request.on('end', () => void answer(request, response, Buffer.concat(chunks).toString('latin1')));
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
