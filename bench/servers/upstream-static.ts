// An upstream that reads the request and then answers at once, always with the same JSON. It reads as fast as it can, or
// BYTES_PER_SECOND on each connection.
import { createServer } from 'node:http';

const CHAT = JSON.stringify({
  id: 'chatcmpl-0123456789abcdefghijklmn',
  object: 'chat.completion',
  created: 1_750_000_000,
  model: 'bench-model',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'A short answer of several words. '.repeat(20), refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 42, completion_tokens: 140, total_tokens: 182 },
});
const EMBEDDING = JSON.stringify({
  object: 'list',
  data: [
    { object: 'embedding', index: 0, embedding: Array.from({ length: 256 }, (_, index) => index / 1000) },
  ],
  model: 'bench-model',
  usage: { prompt_tokens: 8, total_tokens: 8 },
});
const TRANSCRIPT = JSON.stringify({ text: 'A short transcript.' });

function answerTo(path: string): string {
  if (path.endsWith('/embeddings')) return EMBEDDING;
  return /\/transcri(ptions|be)$/.test(path) ? TRANSCRIPT : CHAT;
}

const bytesPerSecond = Number(process.env['BYTES_PER_SECOND'] ?? Infinity);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.on('data', (chunk: Buffer) => {
    if (bytesPerSecond === Infinity) return;
    request.pause();
    setTimeout(() => request.resume(), (chunk.length / bytesPerSecond) * 1000);
  });
  request.on('end', () => {
    const body = answerTo(request.url ?? '/');
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
