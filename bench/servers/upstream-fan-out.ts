// An upstream that answers with an event stream of EVENTS chunks, INTERVAL_MS apart. Each says when it was sent, and the last
// one holds the SHA-256 of all bytes before it. A request of the user `unread` gets an endless stream, as fast as it is read;
// GET /unread says how many of those are open, and how many bytes they were given.
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';

const EVENTS = Number(process.env['EVENTS']);
const INTERVAL_MS = Number(process.env['INTERVAL_MS']);
const unread = { streams: 0, bytes: 0 };

function chunk(content: string, finishReason: string | null): string {
  const head = { id: 'chatcmpl-0123456789abcdef', object: 'chat.completion.chunk', created: 1_750_000_000 };
  const choices = [{ index: 0, delta: { content }, logprobs: null, finish_reason: finishReason }];
  return `data: ${JSON.stringify({ ...head, model: 'bench-model', system_fingerprint: 'fp_44709d6fcb', choices })}\n\n`;
}

/** The clock is the same in all processes of the machine. */
function sentNow(): string {
  return chunk(`${process.hrtime.bigint()} word`, null);
}

function sendPaced(response: ServerResponse): void {
  const hash = createHash('sha256');
  let sent = 0;
  const timer = setInterval(() => {
    const record = sentNow();
    hash.update(record);
    response.write(record);
    sent += 1;
    if (sent < EVENTS) return;
    clearInterval(timer);
    response.end(`${chunk(hash.digest('hex'), 'stop')}data: [DONE]\n\n`);
  }, INTERVAL_MS);
  response.on('close', () => clearInterval(timer));
}

function sendEndless(response: ServerResponse): void {
  const record = sentNow().repeat(20);
  const send = (): void => {
    do unread.bytes += record.length;
    while (response.write(record));
  };
  unread.streams += 1;
  response.on('drain', send).on('close', () => {
    unread.streams -= 1;
  });
  send();
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.method === 'GET') {
    response.end(request.url === '/unread' ? JSON.stringify(unread) : 'ok');
    return;
  }
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => (body += text));
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (/"user":\s*"unread"/.test(body)) sendEndless(response);
    else sendPaced(response);
  });
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
