import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { CHAT_ANSWER, startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const TRIES = process.env['IPIN_LONG'] === '1' ? 250 : 25;
const CHUNK = `data: ${JSON.stringify({ ...CHAT_ANSWER, choices: [{ index: 0, delta: { content: 'a' } }] })}\n\n`;

interface Phase {
  readonly name: string;
  readonly stream: boolean;
  /** What the upstream does with a request before the client leaves. */
  readonly answer: (req: IncomingMessage, res: ServerResponse) => void;
  /** What the client has received when it leaves; empty for nothing. */
  readonly received: string;
}

const EVENTS = { 'content-type': 'text/event-stream' };
const PHASES: readonly Phase[] = [
  { name: 'before the headers of a stream', stream: true, answer: () => {}, received: '' },
  {
    name: 'before the first token',
    stream: true,
    answer: (_req, res) => res.writeHead(200, EVENTS).flushHeaders(),
    received: 'text/event-stream',
  },
  {
    name: 'in mid-stream',
    stream: true,
    answer: (_req, res) => res.writeHead(200, EVENTS).write(CHUNK),
    received: '"content":"a"',
  },
  { name: 'while waiting for a whole answer', stream: false, answer: () => {}, received: '' },
  {
    name: 'while a whole answer is half there',
    stream: false,
    answer: (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).write('{"id":'),
    received: '',
  },
];

describe('a client that leaves', () => {
  for (const { name, stream, answer, received } of PHASES) {
    test(`${name}: each time its upstream connection is closed`, { timeout: 20_000 }, async (t) => {
      const gone: Promise<unknown>[] = [];
      let announce: (() => void)[] = [];
      const upstream = await startUpstream(t, (req, res) => {
        gone.push(once(res, 'close'));
        answer(req, res);
        announce.shift()?.();
      });
      const app = await startApp(t);
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
      const body = JSON.stringify({ model: 'm', stream, messages: [] });
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\n`;
      const tryOnce = async (): Promise<void> => {
        const arrived = new Promise<void>((resolve) => announce.push(resolve));
        const client = rawClient(t, app.port);
        client.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
        await arrived;
        if (received !== '') await client.until(received);
        client.socket.resetAndDestroy();
      };
      await Promise.all(Array.from({ length: TRIES }, tryOnce));
      await Promise.all(gone);
      assert.equal(gone.length, TRIES);
      assert.equal(upstream.received.length, TRIES);
      announce = [];
      await allLogged(app.logs, TRIES);
      const statuses = requestLines(app.logs).map(({ status }) => status);
      assert.ok(
        statuses.every((status) => status === 499),
        JSON.stringify(statuses),
      );
      assert.ok(!app.logs.some((line) => line.includes('internal error')));
    });
  }

  test('leaves nothing in flight: a large body is released', { timeout: 20_000 }, async (t) => {
    const upstream = await startUpstream(t, () => {});
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const abort = new AbortController();
    const filler = 'x'.repeat(3 * 1024 * 1024);
    const request = fetch(`${app.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: filler }] }),
      signal: abort.signal,
    });
    await until(() => upstream.received.length === 1, 'the request at the provider');
    assert.equal(app.services.budget.usedBytes, 3 * 1024 * 1024 + 64 * 1024);
    abort.abort();
    await assert.rejects(request);
    await until(
      () => upstream.sockets.size === 0 && app.services.budget.usedBytes === 0,
      'an ended connection to the provider and an empty budget',
    );
  });
});

test('a streaming answer does not keep its request in memory', { timeout: 20_000 }, async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: {"choices":[]}\n\n');
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
  const filler = 'x'.repeat(3 * 1024 * 1024);
  const answer = await app.v1('chat/completions', { model: 'm', stream: true, filler });
  assert.equal(answer.status, 200);
  assert.equal(app.services.budget.usedBytes, 0);
  await answer.body?.cancel();
});

function requestLines(logs: readonly string[]): { path: string; status: number }[] {
  return logs
    .map((line) => JSON.parse(line))
    .filter(({ event, path }) => event === 'request' && path.startsWith('/v1'));
}

async function allLogged(logs: readonly string[], count: number): Promise<void> {
  await until(() => requestLines(logs).length === count, `${count} lines in the log`);
}
