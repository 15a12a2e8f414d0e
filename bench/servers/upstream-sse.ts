// An upstream that answers with an event stream of EVENTS chunks, INTERVAL_MS apart; 0: as fast as the client reads them. A
// client that asks for one token gets three, one every 2 ms.

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

async function sendFast(response: ServerResponse): Promise<void> {
  for (let sent = 0; sent < EVENTS; sent++) {
    if (!response.write(WORD)) await once(response, 'drain');
  }
}

function sendPaced(response: ServerResponse, events: number, intervalMs: number): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    const timer = setInterval(() => {
      response.write(WORD);
      sent += 1;
      if (sent < events && !response.destroyed) return;
      clearInterval(timer);
      resolve();
    }, intervalMs);
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
    if (body.includes('"max_tokens":1,')) await sendPaced(response, 3, 2);
    else if (INTERVAL_MS > 0) await sendPaced(response, EVENTS, INTERVAL_MS);
    else await sendFast(response);
    end(response, /"include_usage":\s*true/.test(body));
  });
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
