import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startKeepAlivePing } from '../src/keep-alive-ping.ts';
import { createLogger } from '../src/logger.ts';
import { mockTimers } from './helpers/mock-timers.ts';
import { startRawUpstream } from './helpers/raw-upstream.ts';

const INTERVAL_MS = 10 * 60 * 1000;

test('the keep-alive ping tells each change of its outcome once', { timeout: 20_000 }, async (t) => {
  const statuses = [200, 404, 404, 503, 200, 200];
  // Leaves the closing to the client, who does it once he has looked at the answer.
  const { origin, requests } = await startRawUpstream(t, (socket, index) => {
    socket.write(`HTTP/1.1 ${statuses[index]} X\r\nContent-Length: 0\r\n\r\n`);
    closed = once(socket, 'close');
    announce();
  });
  let closed: Promise<unknown> = Promise.resolve();
  let announce = (): void => {};
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', now: Date.now, write: (line) => void lines.push(line) });
  mockTimers(t, 'Interval');
  t.after(startKeepAlivePing(`${origin}/panel`, logger));
  const outcomes: string[] = [];
  for (const _status of statuses) {
    const answered = new Promise<void>((resolve) => {
      announce = resolve;
    });
    t.mock.timers.tick(INTERVAL_MS);
    await answered;
    await closed;
    const told = lines.splice(0).map((line) => JSON.parse(line));
    outcomes.push(told.map(({ level, message = '' }) => `${level} ${message}`).join());
  }
  const address = `${origin}/health answers with`;
  assert.deepEqual(outcomes, ['', `warn ${address} 404`, '', `warn ${address} 503`, 'info ', '']);
  assert.ok(requests.every(({ head }) => head.startsWith('GET /health HTTP/1.1\r\n')));
});

test('B10: the keep-alive ping logs its address without user name, password and query', {
  timeout: 20_000,
}, async (t) => {
  const { origin, requests } = await startRawUpstream(t, (socket) => {
    socket.end('HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n');
  });
  const told: string[] = [];
  let announce = (): void => {};
  const logger = createLogger({
    level: 'debug',
    now: Date.now,
    write: (line) => {
      told.push(line);
      announce();
    },
  });
  mockTimers(t, 'Interval');
  const logged = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const address = `${origin.replace('//', '//owner:canary-password@')}/panel?token=canary-token`;
  t.after(startKeepAlivePing(address, logger));
  t.mock.timers.tick(INTERVAL_MS);
  await logged;
  assert.match(told.join(''), new RegExp(`${origin}/health answers with 404`));
  assert.doesNotMatch(told.join(''), /canary|owner/);
  const sent = `Basic ${Buffer.from('owner:canary-password').toString('base64')}`;
  assert.ok(requests[0]?.head.includes(sent), 'it is sent all the same');
});
