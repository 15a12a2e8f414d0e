import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { Cancellation } from '../../../src/cancellation.ts';
import { keptMsOf } from '../../../src/providers/upstream/pool.ts';
import { certificate, hasOpenssl } from '../../helpers/certificate.ts';
import { startRawUpstream } from '../../helpers/raw-upstream.ts';
import { startSender, streamOf } from '../../helpers/sender.ts';
import { until } from '../../helpers/until.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('the connections to a provider', { timeout: 30_000 }, () => {
  test('are used by one request after the other where no more may be open', async (t) => {
    const upstream = await startRawUpstream(t, (socket) => void socket.write(ANSWER));
    const sender = startSender(t, upstream.origin);
    sender.provider.connection.pool.maxSockets = 1;
    const bodies = ['a', 'b', streamOf('c'), 'd', 'e'];
    const answers = await Promise.all(bodies.map((body) => sender.ask(body)));
    assert.deepEqual(answers, Array(5).fill('ok'));
    assert.deepEqual(
      upstream.requests.map(({ body, connection }) => `${body} ${connection}`),
      ['a 0', 'b 0', 'c 1', 'd 2', 'e 2'],
    );
  });

  test('that a request waits for: it may leave, and it waits no longer than for a new one', async (t) => {
    const upstream = await startRawUpstream(t, () => {});
    const sender = startSender(t, upstream.origin, { options: { connectTimeoutMs: 200 } });
    const { pool } = sender.provider.connection;
    pool.maxSockets = 1;
    const signals = [new Cancellation(), new Cancellation()] as const;
    const first = assert.rejects(sender.send('first', signals[0]), /left/);
    await until(() => upstream.requests.length === 1, 'the first request');
    const second = assert.rejects(sender.send('second', signals[1]), /left/);
    await until(() => pool.waitingCount === 1, 'a request that waits');
    signals[1].abort(new Error('left'));
    await second;
    assert.equal(pool.waitingCount, 0);
    const { message, mayHaveRun } = await sender.failureOf('third');
    assert.deepEqual([message, mayHaveRun], ['No connection to the provider became free in time.', false]);
    assert.equal(pool.waitingCount, 0);
    signals[0].abort(new Error('left'));
    await first;
    assert.equal(upstream.requests.length, 1);
  });

  test('are at most 256 without a request, and the one used last is used next', async (t) => {
    const held: (() => void)[] = [];
    const upstream = await startRawUpstream(t, (socket) => void held.push(() => socket.write(ANSWER)));
    const sender = startSender(t, upstream.origin);
    const asked = Array.from({ length: 260 }, (_, index) => sender.ask(String(index)));
    await until(() => held.length === 260, 'all requests');
    for (const answer of held) answer();
    await Promise.all(asked);
    await until(() => upstream.connections.filter(({ closed }) => closed).length === 4, 'the end of four');
    const next = sender.ask('next');
    await until(() => held.length === 261, 'the next request');
    held[260]?.();
    await next;
    const last = upstream.requests[260]?.connection ?? -1;
    assert.equal(upstream.connections.length, 260);
    assert.equal(upstream.connections[last]?.closed, false);
  });

  test('are kept 4 seconds, or a second less than the provider announces, but a minute at most', () => {
    const hints = [undefined, 'timeout=5', 'timeout=5, max=100', 'timeout=60', 'timeout=600', 'max=100', 'x'];
    assert.deepEqual(hints.map(keptMsOf), [4_000, 4_000, 4_000, 59_000, 60_000, 4_000, 4_000]);
    assert.deepEqual(['timeout=1', 'timeout=0'].map(keptMsOf), [0, -1_000]);
    const spellings = ['max=100, timeout=9', 'max=100,timeout=9', 'Timeout = 9', 'timeout="9"'];
    assert.deepEqual(spellings.map(keptMsOf), Array(4).fill(8_000));
  });

  test('are used again as long as they are kept', async (t) => {
    const nowMs = performance.now.bind(performance);
    let passedMs = 0;
    t.mock.method(performance, 'now', () => nowMs() + passedMs);
    const hinted = ANSWER.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=60\r\n\r\n');
    const upstream = await startRawUpstream(t, (socket) => void socket.write(hinted));
    const sender = startSender(t, upstream.origin);
    for (const pauseMs of [0, 30_000, 58_000, 59_000]) {
      passedMs += pauseMs;
      await sender.ask('x');
    }
    assert.deepEqual(
      upstream.requests.map(({ connection }) => connection),
      [0, 0, 0, 1],
    );
  });

  test('take the session of an earlier one on TLS', {
    skip: !hasOpenssl() && 'openssl is not installed',
  }, async (t) => {
    const tls = certificate(t, 'localhost', 2);
    const isResumed: boolean[] = [];
    const upstream = await startRawUpstream(
      t,
      (socket) => {
        assert.ok(socket instanceof TLSSocket);
        isResumed.push(socket.isSessionReused());
        socket.write(ANSWER);
      },
      { tls },
    );
    const sender = startSender(t, upstream.origin, { ca: tls.cert });
    for (let count = 0; count < 3; count += 1) assert.equal(await sender.ask(streamOf('x')), 'ok');
    assert.deepEqual(isResumed, [false, true, true]);
  });
});
