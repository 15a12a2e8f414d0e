// Requests that are answered, refused, cut, stalled and abandoned by chance, on few connections that all of them share.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { Cancellation } from '../../../src/cancellation.ts';
import { UpstreamFailure } from '../../../src/providers/upstream-failures.ts';
import { certificate, hasOpenssl } from '../../helpers/certificate.ts';
import { createRandom, type Random } from '../../helpers/fuzz-random.ts';
import { type OnRequest, startRawUpstream } from '../../helpers/raw-upstream.ts';
import { type Sender, startSender, streamOf } from '../../helpers/sender.ts';

const REQUESTS = process.env['IPIN_LONG'] === '1' ? 50_000 : 800;
const AT_A_TIME = 24;
const MOST_SOCKETS = 5;
const TIMEOUTS = { connectTimeoutMs: 2_000, headersTimeoutMs: 60, idleTimeoutMs: 60 };
const LARGE = 'x'.repeat(200_000);
const POISON = 'poison';

const FATES = [
  'answer',
  'chunks',
  'poison',
  'close',
  'FIN',
  'RST',
  'cut',
  'nothing',
  'stall',
  'slow',
  'broken',
] as const;
const GOOD_FATES: readonly [Fate, ...Fate[]] = ['answer', 'chunks', 'slow'];
type Fate = (typeof FATES)[number];

/** Every answer names the request; `poison` sends another answer behind it, which nobody may get. */
function onRequestBy(random: Random, reset: (connection: number) => void): OnRequest {
  return (socket, _index, { body, connection }) => {
    const id = body.toString('latin1', 0, body.indexOf(';'));
    const length = `Content-Length: ${id.length}\r\n`;
    const acts: Record<Fate, () => void> = {
      answer: () => socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n${id}`),
      chunks: () =>
        socket.write(
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${id.length.toString(16)}\r\n${id}\r\n0\r\n\r\n`,
        ),
      poison: () => {
        const poison = `HTTP/1.1 200 OK\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`;
        socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n${id}${poison}`);
      },
      close: () => socket.end(`HTTP/1.1 200 OK\r\n\r\n${id}`),
      FIN: () => socket.end(),
      RST: () => reset(connection),
      cut: () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${id}`),
      nothing: () => {},
      stall: () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${id}`),
      slow: () =>
        void pause(random.int(10)).then(() => socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n${id}`)),
      broken: () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'),
    };
    acts[random.pick(random.chance(0.7) ? GOOD_FATES : FATES)]();
  };
}

/** One request that may be abandoned. Returns what came of it. */
async function live(sender: Sender, id: string, random: Random): Promise<string> {
  const signal = new Cancellation();
  const body = random.pick(['small', 'small', 'small', 'large', 'stream']);
  const text = `${id};${body === 'large' ? LARGE : ''}`;
  const answer = sender.ask(body === 'stream' ? streamOf(text.slice(0, 1), text.slice(1)) : text, signal);
  const end = answer.catch((error: unknown) => {
    if (error instanceof UpstreamFailure) return error.error.code ?? '';
    return error instanceof Error ? error.message : String(error);
  });
  if (random.chance(0.2)) {
    for (let turns = random.int(12); turns > 0; turns -= 1) await turn();
    signal.abort(new Error('left'));
  }
  return end;
}

describe('whatever becomes of a request', { timeout: 600_000 }, () => {
  for (const scheme of ['http', 'https'] as const) {
    const skip = scheme === 'https' && !hasOpenssl() && 'openssl is not installed';

    test(`it ends, with its own answer or a failure, and leaves nothing (${scheme})`, { skip }, async (t) => {
      const seed = (Math.random() * 2 ** 32) >>> 0;
      t.diagnostic(`seed ${seed}`);
      const tls = scheme === 'https' ? certificate(t, 'localhost', 2) : null;
      const upstream = await startRawUpstream(
        t,
        onRequestBy(createRandom(seed), (connection) => upstream.connections[connection]?.resetAndDestroy()),
        { tls },
      );
      const sender = startSender(t, upstream.origin, { ca: tls?.cert, options: TIMEOUTS });
      const { pool } = sender.provider.connection;
      pool.maxSockets = MOST_SOCKETS;
      const outcomes = new Map<string, number>();
      let next = 0;
      const work = async (): Promise<void> => {
        for (let index = next++; index < REQUESTS; index = next++) {
          const id = `request-${index}`;
          const outcome = await live(sender, id, createRandom(seed, index));
          const isOwn = outcome === id || outcome === 'left' || outcome.startsWith('upstream_');
          assert.ok(isOwn, `${id} got: ${outcome}`);
          assert.ok(pool.usedCount <= MOST_SOCKETS);
          const kind = outcome === id ? 'answer' : outcome;
          outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, work));
      const kinds = [
        'answer',
        'left',
        'upstream_invalid_response',
        'upstream_timeout',
        'upstream_unreachable',
      ];
      assert.deepEqual([...outcomes.keys()].sort(), kinds);
      t.diagnostic(JSON.stringify(Object.fromEntries(outcomes)));
    });
  }
});
