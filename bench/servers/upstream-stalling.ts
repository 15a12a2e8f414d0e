// An upstream that sends ANSWER_BYTES of a JSON response and then stops, without ending it.
import { createServer } from 'node:http';

const answer = Buffer.alloc(Number(process.env['ANSWER_BYTES'] ?? 0), 0x20);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  if (request.method === 'GET') {
    response.end('ok');
    return;
  }
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(answer);
  });
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
