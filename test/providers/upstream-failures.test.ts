import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { piecesOf } from '../../src/http/body-source.ts';
import { invalidResponse, UpstreamFailure } from '../../src/providers/upstream-failures.ts';
import { type Certificate, certificate, hasOpenssl } from '../helpers/certificate.ts';
import { collect } from '../helpers/chunks.ts';
import { type OnRequest, type RawUpstream, startRawUpstream } from '../helpers/raw-upstream.ts';
import { startSender, streamOf } from '../helpers/sender.ts';
import { closeAfter } from '../helpers/teardown.ts';
import { until } from '../helpers/until.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`;
const UNREACHABLE = 'upstream_unreachable';
const INVALID = 'upstream_invalid_response';
const TIMEOUT = 'upstream_timeout';
const MEBIBYTE = 1024 * 1024;
const LARGE = 'x'.repeat(5 * MEBIBYTE);

type Failure = readonly [code: string, mayHaveRun: boolean];

function outlineOf({ error, mayHaveRun }: UpstreamFailure): Failure {
  return [error.code ?? '', mayHaveRun];
}

test('a failure says whether the request may have run, and still is an error of the table', () => {
  const failure = invalidResponse('No.', new Error('why'));
  assert.ok(failure instanceof HttpError);
  assert.deepEqual([failure.status, failure.name, failure.mayHaveRun], [502, 'HttpError', false]);
  assert.equal(failure.withHeaders(['x-a', 'b']).cause, failure.cause);
});

describe('a connection that is not made: the request cannot have run', { timeout: 30_000 }, () => {
  for (const [what, baseUrl] of [
    ['a closed port', 'http://127.0.0.1:1'],
    ['an unknown name', 'http://no-such-host.invalid'],
  ] as const) {
    test(what, async (t) => {
      const sender = startSender(t, baseUrl);
      assert.deepEqual(outlineOf(await sender.failureOf('x')), [UNREACHABLE, false]);
      assert.deepEqual(outlineOf(await sender.failureOf(streamOf('x'))), [UNREACHABLE, false]);
    });
  }

  test('an address that is not allowed', async (t) => {
    const sender = startSender(t, 'http://localhost:1', { blockPrivate: true });
    for (const body of ['x', streamOf('x')]) {
      const failure = await sender.failureOf(body);
      assert.deepEqual(outlineOf(failure), [UNREACHABLE, false]);
      assert.match(failure.message, /is not allowed/);
      assert.deepEqual(failure.headers, ['x-should-retry', 'false']);
    }
  });

  test('a TLS handshake without an answer', async (t) => {
    const deaf = await startDeaf(t);
    const options = { connectTimeoutMs: 60 };
    const sender = startSender(t, deaf.replace('http:', 'https:'), { options });
    assert.deepEqual(outlineOf(await sender.failureOf('x')), [TIMEOUT, false]);
  });

  test('a TLS handshake that fails', async (t) => {
    const plain = await startRawUpstream(t, () => {});
    plain.onBytes = (connection) => void plain.connections[connection]?.write('no TLS here\r\n\r\n');
    const sender = startSender(t, plain.origin.replace('http:', 'https:'));
    assert.deepEqual(outlineOf(await sender.failureOf('x')), [UNREACHABLE, false]);
  });

  test('a certificate that is not trusted', {
    skip: !hasOpenssl() && 'openssl is not installed',
  }, async (t) => {
    const upstream = await startRawUpstream(t, () => {}, { tls: certificate(t, 'localhost', 2) });
    for (const body of ['x', LARGE, streamOf('x')]) {
      const failure = await startSender(t, upstream.origin).failureOf(body);
      assert.deepEqual(outlineOf(failure), [UNREACHABLE, false]);
    }
    assert.deepEqual(upstream.requests, []);
  });
});

/** A server that accepts connections and reads nothing. */
async function startDeaf(t: TestContext): Promise<string> {
  const deaf = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => {});
    closeAfter(t, () => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  closeAfter(t, () => void deaf.close());
  return `http://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
}

/** What an upstream does with a request that arrived whole, and what that means for the request. */
const ROWS: readonly (readonly [what: string, then: (end: Ends) => void, Failure, timer?: string])[] = [
  ['closes the connection', (end) => end.close(''), [UNREACHABLE, true]],
  ['resets the connection', (end) => end.reset(), [UNREACHABLE, true]],
  ['closes within the head', (end) => end.close('HTTP/1.1 200 OK\r\nConte'), [UNREACHABLE, true]],
  ['closes after 100 Continue', (end) => end.close('HTTP/1.1 100 Continue\r\n\r\n'), [UNREACHABLE, true]],
  ['says nothing', () => {}, [TIMEOUT, true], 'headersTimeoutMs'],
  ['sends no HTTP', (end) => end.close('220 mail.example.com ESMTP\r\n'), [INVALID, false]],
  ['sends HTTP with a broken head', (end) => end.close(`${HEAD}a b: c\0\r\n\r\n`), [INVALID, false]],
  ['redirects', (end) => end.close('HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n'), [INVALID, false]],
  ['sends an unknown status', (end) => end.close('HTTP/1.1 799 What\r\n\r\n'), [INVALID, false]],
  [
    'switches protocols',
    (end) => end.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    [INVALID, false],
  ],
  ['closes after the head', (end) => end.close(`${HEAD}Content-Length: 9\r\n\r\n`), [INVALID, true]],
  ['closes within the body', (end) => end.close(`${HEAD}Content-Length: 9\r\n\r\nhalf`), [INVALID, true]],
  ['closes between two chunks', (end) => end.close(CHUNKED), [INVALID, true]],
  ['sends a broken chunk', (end) => end.write(`${CHUNKED}no chunk\r\n`), [INVALID, true]],
  ['stops within the body', (end) => end.write(CHUNKED), [TIMEOUT, true], 'idleTimeoutMs'],
];

interface Ends {
  write(text: string): void;
  /** Writes and closes. */
  close(text: string): void;
  reset(): void;
}

for (const scheme of ['http', 'https'] as const) {
  const skip = scheme === 'https' && !hasOpenssl() && 'openssl is not installed';

  describe(`an upstream that got the whole request (${scheme})`, { timeout: 30_000, skip }, () => {
    const start = async (t: TestContext, onRequest: OnRequest) => {
      const tls: Certificate | null = scheme === 'https' ? certificate(t, 'localhost', 2) : null;
      const upstream = await startRawUpstream(t, onRequest, { tls });
      return { upstream, ca: tls?.cert };
    };

    for (const [what, then, expected, timer] of ROWS) {
      test(`and ${what}: ${expected.join(', ')}`, async (t) => {
        let upstream: RawUpstream | null = null;
        const started = await start(t, (socket, _index, { connection }) => {
          then({
            write: (text) => void socket.write(text),
            close: (text) => void socket.end(text),
            reset: () => upstream?.connections[connection]?.resetAndDestroy(),
          });
        });
        upstream = started.upstream;
        const options = timer === undefined ? {} : { [timer]: 300 };
        const sender = startSender(t, upstream.origin, { options, ca: started.ca });
        for (const body of ['{"a":1}', 'y'.repeat(100_000), 'z'.repeat(MEBIBYTE), streamOf('{"a":', '1}')]) {
          assert.deepEqual(outlineOf(await sender.failureOf(body)), expected);
        }
        assert.equal(upstream.requests.length, 4);
      });
    }

    test(`and resets within the body: ${INVALID}, true`, async (t) => {
      const { upstream, ca } = await start(t, (socket) => void socket.write(CHUNKED));
      const { body } = await startSender(t, upstream.origin, { ca }).send('x');
      upstream.connections[0]?.resetAndDestroy();
      const failure: unknown = await collect(piecesOf(body)).catch((error) => error);
      assert.ok(failure instanceof UpstreamFailure);
      assert.deepEqual(outlineOf(failure), [INVALID, true]);
    });
  });

  describe(`an upstream that did not get the whole request (${scheme})`, { timeout: 30_000, skip }, () => {
    for (const end of ['closed', 'reset'] as const) {
      test(`because the connection was ${end}: it cannot have run`, async (t) => {
        const tls: Certificate | null = scheme === 'https' ? certificate(t, 'localhost', 2) : null;
        const upstream = await startRawUpstream(t, () => {}, { tls });
        upstream.onBytes = (connection) => {
          const raw = upstream.connections[connection];
          if (end === 'reset') raw?.resetAndDestroy();
          else raw?.end();
        };
        const sender = startSender(t, upstream.origin, { ca: tls?.cert });
        for (let count = 0; count < 5; count += 1) {
          assert.deepEqual(outlineOf(await sender.failureOf(LARGE)), [UNREACHABLE, false]);
        }
        assert.equal(upstream.requests.length, 0);
      });
    }
  });
}

test('an upstream that does not read a large request: it cannot have run', { timeout: 30_000 }, async (t) => {
  const deaf = await startDeaf(t);
  const sender = startSender(t, deaf, { options: { idleTimeoutMs: 100 } });
  assert.deepEqual(outlineOf(await sender.failureOf('x'.repeat(16 * MEBIBYTE))), [TIMEOUT, false]);
});

test('a whole answer is delivered although the connection breaks behind it', {
  timeout: 30_000,
}, async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(`${HEAD}Content-Length: 5\r\n\r\nhello`);
  });
  const sender = startSender(t, upstream.origin);
  const { body } = await sender.send('x');
  upstream.connections[0]?.resetAndDestroy();
  await until(() => sender.provider.connection.pool.usedCount === 0, 'a closed connection');
  assert.equal(String(await collect(piecesOf(body))), 'hello');
});

test('a large request that is answered before it is read holds no connection', {
  timeout: 30_000,
}, async (t) => {
  const upstream = await startRawUpstream(t, () => {});
  upstream.onBytes = (connection) => {
    const socket = upstream.connections[connection];
    socket?.removeAllListeners('data').pause();
    socket?.write(`${HEAD}Content-Length: 5\r\n\r\nearly`);
  };
  const sender = startSender(t, upstream.origin);
  assert.equal(await sender.ask('x'.repeat(16 * MEBIBYTE)), 'early');
});
