import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { FIRST_RECORDS, HALF_RECORD } from './half-stream.ts';

// A provider as a process of its own: it answers everything with the first half of a stream. Half of the streams stop
// inside a record. It prints its port, and cuts all its connections once a word arrives: `destroy` or `reset`.

const sockets = new Set<Socket>();
let count = 0;

const server = createServer((req, res) => {
  req.resume().on('end', () => {
    count += 1;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(count % 2 === 0 ? FIRST_RECORDS : FIRST_RECORDS + HALF_RECORD);
  });
});
server.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});
process.stdin.setEncoding('utf8').on('data', (word: string) => {
  for (const socket of sockets) {
    if (word === 'reset') socket.resetAndDestroy();
    else socket.destroy();
  }
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
