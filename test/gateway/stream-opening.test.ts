import assert from 'node:assert/strict';
import { PassThrough, type Readable } from 'node:stream';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import { openStream } from '../../src/gateway/stream-opening.ts';
import { collect } from '../helpers/chunks.ts';

const ROLE = 'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n';
const HI = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';
const DONE = 'data: [DONE]\n\n';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A body that has sent this much. */
function bodyOf(...pieces: readonly string[]): PassThrough {
  const body = new PassThrough();
  for (const piece of pieces) body.write(piece);
  return body;
}

/** The body of a stream that must have begun. */
async function begun(body: Readable): Promise<Readable> {
  const opened = await openStream(body, 'chat');
  assert.ok(opened.kind === 'begun');
  return opened.body;
}

describe('openStream()', () => {
  test('returns once there is content, with every byte still to be read', async () => {
    const body = bodyOf(': hi\n\n', ROLE);
    const listeners = (): number[] =>
      ['data', 'end', 'error', 'close'].map((name) => body.listenerCount(name));
    const before = listeners();
    const opening = begun(body);
    let isOpen = false;
    void opening.then(() => {
      isOpen = true;
    });
    await turn();
    assert.equal(isOpen, false);
    body.write(HI);
    assert.equal(await opening, body);
    assert.deepEqual(listeners(), before);
    body.end(DONE);
    assert.equal((await collect(body)).toString(), `: hi\n\n${ROLE}${HI}${DONE}`);
  });

  test('passes every byte whatever the pieces', async () => {
    const text = `: é😀\n\n${ROLE}${HI}${HI}${DONE}`;
    const cuts = fc.uniqueArray(fc.nat(Buffer.byteLength(text)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.boolean(), async (places, isEnded) => {
        const bytes = Buffer.from(isEnded ? text : text.slice(0, -1));
        const body = new PassThrough();
        let from = 0;
        for (const at of [...places, bytes.length].sort((a, b) => a - b)) {
          body.write(bytes.subarray(from, at));
          from = at;
        }
        body.end();
        assert.deepEqual(await collect(await begun(body)), bytes);
      }),
    );
  });

  test('passes a whole stream that ends without its last empty line', async () => {
    const body = bodyOf(HI.trimEnd());
    body.end();
    assert.equal((await collect(await begun(body))).toString(), HI.trimEnd());
  });

  test('returns the error that a stream reports before its content', async () => {
    const opened = await openStream(bodyOf(ROLE, 'data: {"error":{"message":"no","code":429}}\n\n'), 'chat');
    assert.ok(opened.kind === 'error');
    assert.deepEqual(opened.error, { message: 'no', type: null, param: null, code: '429' });
  });

  test('returns the error that stands alone, without any line end', async () => {
    const body = bodyOf('{"error":"no"}');
    body.end();
    assert.equal((await openStream(body, 'chat')).kind, 'error');
  });

  test('throws for a stream that ends before its content', async () => {
    for (const text of ['', ': hi\n\n', ROLE, HI.slice(0, -8)]) {
      const body = bodyOf(text);
      body.end();
      await assert.rejects(openStream(body, 'chat'), ({ error }: HttpError) => {
        assert.equal(error.code, 'upstream_invalid_response');
        return true;
      });
      assert.equal(body.errored, null);
    }
  });

  test('throws the error by which the body was destroyed, then or before', async () => {
    const late = new HttpError('upstream_timeout', 'late');
    const body = bodyOf(ROLE);
    const opening = openStream(body, 'chat');
    body.destroy(late);
    await assert.rejects(opening, late);
    await assert.rejects(openStream(body, 'chat'), late);
    const cut = bodyOf(ROLE);
    const cutting = openStream(cut, 'chat');
    cut.destroy();
    await assert.rejects(cutting, ({ error }: HttpError) => error.code === 'upstream_invalid_response');
  });

  test('waits a second at most', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const silent = new PassThrough();
    const role = bodyOf(ROLE);
    const openings = [begun(silent), begun(role)];
    await turn();
    t.mock.timers.tick(999);
    const open: Readable[] = [];
    for (const opening of openings) void opening.then((body) => open.push(body));
    await turn();
    assert.deepEqual(open, []);
    t.mock.timers.tick(1);
    await turn();
    assert.deepEqual(open, [silent, role]);
    role.end(HI);
    assert.equal((await collect(role)).toString(), ROLE + HI);
    const quick = bodyOf(HI);
    assert.equal(await begun(quick), quick);
    t.mock.timers.tick(2_000);
    quick.end(DONE);
    assert.equal((await collect(quick)).toString(), HI + DONE);
  });
});
