// An upstream that streams the text of the file ANSWER_PATH in tokens of four characters, TOKENS_PER_SECOND of them.

import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';

const ANSWER_PATH = process.env['ANSWER_PATH'] ?? '';
const CHARS_PER_SECOND = 4 * Number(process.env['TOKENS_PER_SECOND']);
const EVERY_MS = 5;

function chunk(delta: object, finishReason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'bench-model', choices })}\n\n`;
}

function sendPaced(response: ServerResponse, text: string): void {
  const started = performance.now();
  let at = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - started) / 1000) * CHARS_PER_SECOND;
    let events = '';
    for (; at < Math.min(due, text.length); at += 4)
      events += chunk({ content: text.slice(at, at + 4) }, null);
    response.write(events);
    if (at < text.length && !response.destroyed) return;
    clearInterval(timer);
    response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
  }, EVERY_MS);
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.method === 'GET') {
    response.end('ok');
    return;
  }
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    sendPaced(response, readFileSync(ANSWER_PATH, 'utf8'));
  });
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
