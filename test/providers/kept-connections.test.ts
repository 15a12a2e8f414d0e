import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { Cancellation } from '../../src/cancellation.ts';
import { type Certificate, certificate, hasOpenssl } from '../helpers/certificate.ts';
import { type OnRequest, type RawUpstream, startRawUpstream } from '../helpers/raw-upstream.ts';
import { type Sender, startSender, streamOf } from '../helpers/sender.ts';
import { until } from '../helpers/until.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
/** The most that a record of TLS holds (RFC 8446 section 5.1). */
const RECORD_BYTES = 16_384;
const LARGE = 'x'.repeat(5 * 1024 * 1024);

const answer: OnRequest = (socket) => void socket.write(ANSWER);

/** What an upstream does with one request. */
type Step = 'answer' | 'FIN' | 'RST' | 'nothing' | { readonly writes: string };

for (const scheme of ['http', 'https'] as const) {
  const skip = scheme === 'https' && !hasOpenssl() && 'openssl is not installed';

  describe(`a kept connection (${scheme})`, { timeout: 30_000, skip }, () => {
    interface Pair {
      readonly upstream: RawUpstream;
      readonly sender: Sender;
      /** The connection of each request, whole or not, in the order of arrival. */
      connectionsUsed(): number[];
    }

    /** An upstream that takes one step for each request that arrives whole; the last step is repeated. */
    async function start(t: TestContext, ...steps: readonly Step[]): Promise<Pair> {
      const tls: Certificate | null = scheme === 'https' ? certificate(t, 'localhost', 2) : null;
      const onRequest: OnRequest = (socket, index, { connection }) => {
        const step = steps[Math.min(index, steps.length - 1)];
        if (step === 'answer') socket.write(ANSWER);
        if (step === 'FIN') socket.end();
        if (step === 'RST') upstream.connections[connection]?.resetAndDestroy();
        if (typeof step === 'object') socket.end(step.writes);
      };
      const upstream = await startRawUpstream(t, onRequest, { tls });
      const sender = startSender(t, upstream.origin, { ca: tls?.cert });
      return { upstream, sender, connectionsUsed: () => upstream.requests.map((one) => one.connection) };
    }

    for (const end of ['FIN', 'RST'] as const) {
      test(`that is closed by ${end} instead of an answer: the request is sent again on a new one`, async (t) => {
        const { upstream, sender, connectionsUsed } = await start(t, 'answer', end, 'answer');
        assert.equal(await sender.ask('first'), 'ok');
        assert.equal(await sender.ask('second'), 'ok');
        assert.deepEqual(connectionsUsed(), [0, 0, 1]);
        assert.deepEqual(upstream.requests[2]?.body, upstream.requests[1]?.body);
        assert.match(upstream.requests[2]?.head ?? '', /^connection: close$/im);
        assert.equal(await sender.ask('third'), 'ok');
      });

      test(`that is closed by ${end}, and the new one too: a failure after two sendings`, async (t) => {
        const { sender, connectionsUsed } = await start(t, 'answer', end);
        await sender.ask('first');
        const { error, mayHaveRun } = await sender.failureOf('second');
        assert.deepEqual([error.code, mayHaveRun], ['upstream_unreachable', true]);
        assert.deepEqual(connectionsUsed(), [0, 0, 1]);
      });
    }

    test('that is closed during a large request: it is sent again whole', async (t) => {
      const { upstream, sender, connectionsUsed } = await start(t, 'answer');
      await sender.ask('first');
      upstream.onBytes = (connection) => {
        if (connection === 0) upstream.connections[0]?.resetAndDestroy();
      };
      assert.equal(await sender.ask(LARGE), 'ok');
      assert.deepEqual(connectionsUsed(), [0, 1]);
      assert.equal(upstream.requests[1]?.body.toString(), LARGE);
    });

    test('that is closed during a large request, and the new one too: it cannot have run', async (t) => {
      const { upstream, sender } = await start(t, 'answer');
      await sender.ask('first');
      upstream.onBytes = (connection) => upstream.connections[connection]?.resetAndDestroy();
      const { error, mayHaveRun } = await sender.failureOf(LARGE);
      assert.deepEqual([error.code, mayHaveRun], ['upstream_unreachable', false]);
      assert.equal(upstream.connections.length, 2);
    });

    test('that is closed while the request is on its way: it arrives once', async (t) => {
      const { upstream, sender, connectionsUsed } = await start(t, 'answer');
      for (let count = 0; count < 20; count += 1) {
        await sender.ask('first');
        for (const connection of upstream.connections) connection.destroy();
        assert.equal(await sender.ask('second'), 'ok');
      }
      assert.equal(connectionsUsed().length, 40);
    });

    test('whose provider then takes no connection: what the first sending may have done counts', async (t) => {
      const { upstream, sender } = await start(t, 'answer');
      await sender.ask('first');
      upstream.stopListening();
      upstream.onRequest = (socket) => void socket.end();
      const { message, mayHaveRun } = await sender.failureOf('second');
      assert.match(message, /ECONNREFUSED/);
      assert.equal(mayHaveRun, true);
    });

    for (const [what, writes] of [
      ['one byte', 'H'],
      ['100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n'],
      ['half a head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ] as const) {
      test(`that is closed after ${what} of an answer: the request is not sent again`, async (t) => {
        const { sender, connectionsUsed } = await start(t, 'answer', { writes }, 'answer');
        await sender.ask('first');
        assert.equal((await sender.failureOf('second')).mayHaveRun, true);
        assert.deepEqual(connectionsUsed(), [0, 0]);
      });
    }

    test('that is closed in the middle of an answer: the request is not sent again', async (t) => {
      const { sender, connectionsUsed } = await start(t, 'answer', { writes: ANSWER.slice(0, -1) }, 'answer');
      await sender.ask('first');
      assert.equal((await sender.failureOf('second')).mayHaveRun, true);
      assert.deepEqual(connectionsUsed(), [0, 0]);
    });

    test('is not used for a body that can be sent only once', async (t) => {
      const { upstream, sender, connectionsUsed } = await start(t, 'answer');
      await sender.ask('first');
      for (let count = 1; count <= 2; count += 1) {
        assert.equal(await sender.ask(streamOf('hello ', 'world')), 'ok');
        const request = upstream.requests.at(-1);
        assert.deepEqual([request?.connection, request?.body.toString()], [count, 'hello world']);
        assert.match(request?.head ?? '', /^connection: close$/im);
      }
      await sender.ask('last');
      assert.equal(connectionsUsed().at(-1), 0);
    });

    test('is not used even where requests wait for a connection of their own', async (t) => {
      const { upstream, sender, connectionsUsed } = await start(t, 'answer');
      const { pool } = sender.provider.connection;
      pool.maxSockets = 2;
      let mostOpen = 0;
      upstream.onBytes = () => {
        mostOpen = Math.max(mostOpen, pool.usedCount);
      };
      const answers = await Promise.all(Array.from({ length: 8 }, () => sender.ask(streamOf('hello'))));
      assert.deepEqual(answers, Array(8).fill('ok'));
      assert.equal(new Set(connectionsUsed()).size, 8);
      assert.equal(mostOpen, 2);
    });

    test('with bytes behind its answer is not handed on: they must not answer the request that waits', async (t) => {
      const { upstream, sender, connectionsUsed } = await start(t, 'answer');
      sender.provider.connection.pool.maxSockets = 1;
      // On TLS the answer fills a record, so that the bytes behind it are read apart from it.
      const head = 'HTTP/1.1 200 OK\r\nContent-Length: 16342\r\n\r\n';
      const body = 'o'.repeat(RECORD_BYTES - head.length);
      upstream.onRequest = (socket, index) => {
        socket.write(`${head}${body}${index === 0 ? ANSWER : ''}`);
      };
      assert.deepEqual(await Promise.all([sender.ask('first'), sender.ask('second')]), [body, body]);
      assert.deepEqual(connectionsUsed(), [0, 1]);
    });

    test('is handed on to the requests that wait', async (t) => {
      const { sender, connectionsUsed } = await start(t, 'answer');
      sender.provider.connection.pool.maxSockets = 2;
      const answers = await Promise.all(Array.from({ length: 20 }, () => sender.ask('hello')));
      assert.deepEqual(answers, Array(20).fill('ok'));
      assert.equal(new Set(connectionsUsed()).size, 2);
    });

    test('whose request is aborted while it is sent again: nothing is left', async (t) => {
      const { upstream, sender } = await start(t, 'answer', 'FIN', 'nothing');
      await sender.ask('first');
      const signal = new Cancellation();
      const failed = assert.rejects(sender.send('second', signal), /the client left/);
      await until(() => upstream.requests.length === 3, 'the second sending');
      const [, second] = upstream.connections;
      signal.abort(new Error('the client left'));
      await failed;
      if (second?.closed === false) await once(second, 'close');
      assert.equal(upstream.connections.length, 2);
    });

    test('is not tried again after a request that was aborted', async (t) => {
      const { upstream, sender, connectionsUsed } = await start(t, 'answer');
      await sender.ask('first');
      const signal = new Cancellation();
      upstream.onRequest = (socket) => {
        signal.abort(new Error('the client left'));
        socket.end();
      };
      await assert.rejects(sender.send('second', signal), /the client left/);
      upstream.onRequest = answer;
      await sender.ask('third');
      assert.deepEqual(connectionsUsed(), [0, 0, 1]);
    });

    test('leaves its timers behind: the new one has its own', async (t) => {
      const { upstream, sender } = await start(t, 'answer', 'FIN', 'nothing');
      await sender.ask('first');
      Object.assign(sender.provider.connection.timeouts, { headersTimeoutMs: 500 });
      const { error, mayHaveRun } = await sender.failureOf('second');
      assert.deepEqual([error.code, mayHaveRun], ['upstream_timeout', true]);
      assert.equal(upstream.requests.length, 3);
    });
  });
}
