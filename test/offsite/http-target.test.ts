import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createSnapshotTarget } from '../../src/offsite/create-target.ts';
import { SnapshotError } from '../../src/offsite/errors.ts';
import type { SnapshotTarget, WriteCondition } from '../../src/offsite/target.ts';
import { DOCUMENT_LIMIT_BYTES } from '../../src/store/document.ts';
import { SIGNAL } from './fixture.ts';
import { type PutGetServer, startPutGet } from './put-get-server.ts';

const BYTES = Buffer.from('sealed bytes\n');
const TOKEN = 'token-that-nobody-may-see';

/** Only where no answer comes in time may `timeoutMs` be short: a slow machine must not find others late. */
function targetOf(
  { url }: Pick<PutGetServer, 'url'>,
  { token = TOKEN as string | null, timeoutMs = 60_000 } = {},
): SnapshotTarget {
  return createSnapshotTarget({ url, token }, { env: {}, now: Date.now, timeoutMs });
}

async function problemOf(work: Promise<unknown>): Promise<SnapshotError> {
  const problem: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(problem instanceof SnapshotError, 'it fails');
  assert.doesNotMatch(problem.message, /token-that|\n/);
  return problem;
}

const answerWith =
  (status: number, headers: Record<string, string> = {}): PutGetServer['intercept'] =>
  (_req, res) => {
    res.writeHead(status, headers).end();
    return true;
  };

/** What a server does instead of answering. */
type Fault = (...exchange: [req: IncomingMessage, res: ServerResponse]) => unknown;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Both actions of a target. */
const ACTIONS: readonly [string, (target: SnapshotTarget) => Promise<unknown>][] = [
  ['GET', (target) => target.get(SIGNAL)],
  ['PUT', (target) => target.put(BYTES, null, SIGNAL)],
];

test('what is put is got back, with the token and the entity tag', async (t) => {
  const served = await startPutGet(t);
  served.token = TOKEN;
  const target = targetOf(served);
  assert.equal(await target.get(SIGNAL), 'absent');
  const written = await target.put(BYTES, { ifNoneMatch: '*' }, SIGNAL);
  assert.ok(written !== 'refused' && written.etag !== null);
  assert.deepEqual(await target.get(SIGNAL), { bytes: BYTES, etag: written.etag });
  assert.deepEqual(await target.put(BYTES, { ifNoneMatch: '*' }, SIGNAL), 'refused');
  assert.deepEqual(await target.put(BYTES, { ifMatch: '"other"' }, SIGNAL), 'refused');
  const again = await target.put(Buffer.from('next'), { ifMatch: written.etag }, SIGNAL);
  assert.notEqual(again, 'refused');
  assert.equal(served.body?.toString(), 'next');
});

test('a user and password in the address go out as Basic, unless there is a token', async (t) => {
  const served = await startPutGet(t);
  const seen: (string | undefined)[] = [];
  served.intercept = (req) => {
    seen.push(req.headers.authorization);
    return false;
  };
  const url = new URL(served.url);
  url.username = 'ann';
  url.password = 'p@ss:ü';
  for (const token of [null, TOKEN]) await targetOf({ url: url.href }, { token }).get(SIGNAL);
  await targetOf(served, { token: null }).get(SIGNAL);
  const basic = `Basic ${Buffer.from('ann:p@ss:ü').toString('base64')}`;
  assert.deepEqual(seen, [basic, `Bearer ${TOKEN}`, undefined]);
});

describe('statuses that waiting may mend', () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504, 507]) {
    test(String(status), async (t) => {
      const served = await startPutGet(t);
      served.intercept = answerWith(status);
      for (const [method, act] of ACTIONS) {
        const problem = await problemOf(act(targetOf(served)));
        assert.equal(problem.kind, 'unreachable', method);
        assert.match(problem.message, new RegExp(`answers ${method} with ${status}`));
      }
    });
  }
});

describe('statuses that a person must mend', () => {
  const rows: readonly (readonly [number, RegExp])[] = [
    [204, /takes PUT and gives the same bytes back by GET/],
    [206, /takes PUT and gives the same bytes back by GET/],
    [400, /takes PUT and gives the same bytes back by GET/],
    [401, /set SNAPSHOT_TOKEN to a token that may read \(GET\) and write \(PUT\)/],
    [403, /set SNAPSHOT_TOKEN to a token that may read \(GET\) and write \(PUT\)/],
    [405, /takes PUT and gives the same bytes back by GET/],
    [409, /the folder of the address in SNAPSHOT_URL does not exist/],
    [410, /takes PUT and gives the same bytes back by GET/],
    [413, /takes no object of this size/],
    [501, /takes PUT and gives the same bytes back by GET/],
  ];
  for (const [status, advice] of rows) {
    test(String(status), async (t) => {
      const served = await startPutGet(t);
      served.intercept = answerWith(status);
      for (const [method, act] of ACTIONS) {
        if (method === 'PUT' && status <= 299) continue;
        const problem = await problemOf(act(targetOf(served)));
        assert.equal(problem.kind, 'refused', method);
        assert.match(problem.message, advice);
      }
    });
  }
});

test('a redirect is not followed, and where it leads is said without path and query', async (t) => {
  const canary = await startPutGet(t);
  canary.body = BYTES;
  const served = await startPutGet(t);
  for (const status of [301, 302, 303, 307, 308]) {
    served.intercept = answerWith(status, { location: `${canary.url}?token-that-nobody-may-see` });
    for (const [method, act] of ACTIONS) {
      const problem = await problemOf(act(targetOf(served)));
      assert.equal(problem.kind, 'refused', `${method} ${status}`);
      assert.match(problem.message, /redirects are not followed \(it leads to 127\.0\.0\.1:\d+\)/);
    }
  }
  assert.deepEqual(canary.log, []);
});

test('what a conditional PUT is told', async (t) => {
  const served = await startPutGet(t);
  const target = targetOf(served);
  const tell = async (status: number, condition: WriteCondition): Promise<string> => {
    served.intercept = answerWith(status);
    return (await target.put(BYTES, condition, SIGNAL)) === 'refused' ? 'refused' : 'written';
  };
  assert.equal(await tell(404, { ifMatch: '"x"' }), 'refused');
  assert.equal(await tell(501, { ifMatch: '"x"' }), 'refused');
  assert.equal(await tell(501, { ifNoneMatch: '*' }), 'refused');
  // S3's answer to a conditional write that meets another one.
  assert.equal(await tell(409, { ifMatch: '"x"' }), 'refused');
  for (const status of [200, 201, 204]) assert.equal(await tell(status, null), 'written');
  const problem = await problemOf(tell(404, { ifNoneMatch: '*' }));
  assert.match(problem.message, /the folder of the address/);
});

test('an object without an end is read up to the bound and no further', async (t) => {
  const served = await startPutGet(t);
  const piece = Buffer.alloc(1024 * 1024);
  let sent = 0;
  served.intercept = (_req, res) => {
    res.writeHead(200);
    const more = (): void => {
      while (!res.destroyed && res.write(piece)) sent += piece.length;
      sent += piece.length;
    };
    res.on('drain', more);
    more();
    return true;
  };
  const target = targetOf(served, { token: null });
  const problem = await problemOf(target.get(SIGNAL));
  assert.equal(problem.kind, 'refused');
  assert.match(problem.message, /larger than 64 MiB and no snapshot/);
  assert.ok(sent < DOCUMENT_LIMIT_BYTES * 1.5, `${sent} bytes were sent`);
});

test('a refusal with a body without an end is a refusal', async (t) => {
  const served = await startPutGet(t);
  served.intercept = (_req, res) => {
    res.writeHead(403);
    const more = (): void => {
      while (!res.destroyed && res.write(Buffer.alloc(16_384)));
    };
    res.on('drain', more);
    more();
    return true;
  };
  for (const [, act] of ACTIONS) {
    assert.match((await problemOf(act(targetOf(served)))).message, /with 403: set SNAPSHOT_TOKEN/);
  }
});

describe('an answer that does not come whole', () => {
  const faults: readonly (readonly [string, Fault, RegExp, timeoutMs?: number])[] = [
    ['no answer', () => {}, /did not answer in time/, 150],
    [
      'a head alone',
      (_req, res) => res.writeHead(200, { 'content-length': '9' }).flushHeaders(),
      /did not answer in time/,
      150,
    ],
    [
      'a head alone, and the garbage collector runs',
      (_req, res) => {
        res.writeHead(200, { 'content-length': '9' }).flushHeaders();
        setTimeout(collectGarbage, 50);
      },
      /did not answer in time/,
      300,
    ],
    [
      'a byte now and then',
      (_req, res) => {
        res.writeHead(200);
        const timer = setInterval(() => res.write('x'), 20);
        res.on('close', () => clearInterval(timer));
      },
      /did not answer in time/,
      600,
    ],
    ['cut before it', (req) => req.socket.destroy(), /cannot be reached \(ECONNRESET\)/],
    [
      'cut in its body',
      (req, res) => {
        res.writeHead(200, { 'content-length': '100' });
        res.write('x', () => req.socket.destroy());
      },
      /cannot be reached \(ECONNRESET\)/,
    ],
    ['no HTTP', (req) => req.socket.end('SSH-2.0-OpenSSH_9.6\r\n\r\n'), /cannot be reached \(INVALID_HTTP\)/],
  ];
  for (const [name, fault, message, timeoutMs] of faults) {
    test(`${name}: out of reach, to be tried again`, async (t) => {
      const served = await startPutGet(t);
      served.intercept = (req, res) => {
        fault(req, res);
        return true;
      };
      const problem = await problemOf(targetOf(served, { timeoutMs }).get(SIGNAL));
      assert.equal(problem.kind, 'unreachable', problem.stack);
      assert.match(problem.message, message);
    });
  }

  test('nobody listens', async (t) => {
    const served = await startPutGet(t);
    await served.close();
    const problem = await problemOf(targetOf(served).get(SIGNAL));
    assert.equal(problem.kind, 'unreachable');
    assert.match(problem.message, /^127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)$/);
  });

  test('the caller gives up', async (t) => {
    const served = await startPutGet(t);
    const ending = new AbortController();
    served.intercept = () => {
      ending.abort();
      return true;
    };
    const target = targetOf(served, { token: null });
    assert.equal((await problemOf(target.get(ending.signal))).kind, 'unreachable');
  });
});
