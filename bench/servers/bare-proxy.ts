// The smallest possible relay in node:http, the reference for every figure. It reads and parses the body, forwards it over
// kept-alive connections to UPSTREAM_PORT and pipes the response back: no keys, no routing, no checks, no log.
import { Agent, createServer, request } from 'node:http';

const port = Number(process.env['UPSTREAM_PORT']);
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, response) => {
  if (incoming.method === 'GET') {
    response.end('ok');
    return;
  }
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const body = Buffer.concat(chunks);
    if (incoming.headers['content-type'] === 'application/json') JSON.parse(body.toString());
    const headers = {
      'content-type': incoming.headers['content-type'],
      'content-length': body.length,
      authorization: 'Bearer upstream-key',
    };
    const options = { port, agent, method: incoming.method, path: incoming.url, headers };
    const outgoing = request({ host: '127.0.0.1', ...options }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.end(body);
  });
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
