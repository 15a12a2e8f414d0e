// An upstream that answers with an event stream of EVENTS chunks, INTERVAL_MS apart; 0: as fast as the client reads them. A
// client that asks for one token gets one chunk, at once.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

const EVENTS = Number(process.env['EVENTS']);
const INTERVAL_MS = Number(process.env['INTERVAL_MS']);

function chunk(rest: object): string {
  const head = { id: 'chatcmpl-0123456789abcdef', object: 'chat.completion.chunk', created: 1_750_000_000 };
  return `data: ${JSON.stringify({ ...head, model: 'bench-model', system_fingerprint: 'fp_44709d6fcb', ...rest })}\n\n`;
}

const WORD = chunk({
  choices: [{ index: 0, delta: { content: ' word' }, logprobs: null, finish_reason: null }],
});
const LAST = chunk({ choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] });
const USAGE = chunk({
  choices: [],
  usage: { prompt_tokens: 9, completion_tokens: EVENTS, total_tokens: EVENTS + 9 },
});

function end(response: ServerResponse, wantsUsage: boolean): void {
  response.end(`${LAST}${wantsUsage ? USAGE : ''}data: [DONE]\n\n`);
}

async function sendFast(response: ServerResponse, events: number): Promise<void> {
  for (let sent = 0; sent < events; sent++) {
    if (!response.write(WORD)) await once(response, 'drain');
  }
}

function sendPaced(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    const timer = setInterval(() => {
      response.write(WORD);
      sent += 1;
      if (sent < EVENTS && !response.destroyed) return;
      clearInterval(timer);
      resolve();
    }, INTERVAL_MS);
  });
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.method === 'GET') {
    response.end('ok');
    return;
  }
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => (body += text));
  request.on('end', async () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const isShort = body.includes('"max_tokens":1,');
    if (INTERVAL_MS > 0 && !isShort) await sendPaced(response);
    else await sendFast(response, isShort ? 1 : EVENTS);
    end(response, /"include_usage":\s*true/.test(body));
  });
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
