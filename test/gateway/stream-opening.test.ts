import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import { openStream } from '../../src/gateway/stream-opening.ts';
import { type BodySource, piecesOf } from '../../src/http/body-source.ts';
import { ResponseBody } from '../../src/providers/upstream/response-body.ts';
import { collect } from '../helpers/chunks.ts';
import { mockTimers } from '../helpers/mock-timers.ts';

const ROLE = 'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n';
const HI = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';
const DONE = 'data: [DONE]\n\n';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A body that has sent this much. */
function bodyOf(...pieces: readonly string[]): ResponseBody {
  const body = new ResponseBody({ pause() {}, resume() {}, leave() {} });
  for (const piece of pieces) body.push(Buffer.from(piece));
  return body;
}

/** The body of a stream that must have begun. */
async function begun(body: BodySource): Promise<AsyncIterable<Buffer>> {
  assert.equal((await openStream(body, 'chat')).kind, 'begun');
  return piecesOf(body);
}

describe('openStream()', () => {
  test('returns once there is content, with every byte still to be read', async () => {
    const body = bodyOf(': hi\n\n', ROLE);
    const opening = begun(body);
    let isOpen = false;
    void opening.then(() => {
      isOpen = true;
    });
    await turn();
    assert.equal(isOpen, false);
    body.push(Buffer.from(HI));
    const rest = await opening;
    body.push(Buffer.from(DONE));
    body.end();
    assert.equal((await collect(rest)).toString(), `: hi\n\n${ROLE}${HI}${DONE}`);
  });

  test('passes every byte whatever the pieces', async () => {
    const text = `: é😀\n\n${ROLE}${HI}${HI}${DONE}`;
    const cuts = fc.uniqueArray(fc.nat(Buffer.byteLength(text)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.boolean(), async (places, isEnded) => {
        const bytes = Buffer.from(isEnded ? text : text.slice(0, -1));
        const body = bodyOf();
        let from = 0;
        for (const at of [...places, bytes.length].sort((a, b) => a - b)) {
          body.push(bytes.subarray(from, at));
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
    }
  });

  test('throws the error by which the body was destroyed, then or before', async () => {
    const late = new HttpError('upstream_timeout', 'late');
    const body = bodyOf(ROLE);
    const opening = openStream(body, 'chat');
    body.fail(late);
    await assert.rejects(opening, late);
    await assert.rejects(openStream(body, 'chat'), late);
    const cut = bodyOf(ROLE);
    const cutting = openStream(cut, 'chat');
    cut.fail(new Error('cut'));
    await assert.rejects(cutting, ({ error }: HttpError) => error.code === 'upstream_invalid_response');
  });

  test('waits a second at most', async (t) => {
    mockTimers(t, 'Timeout');
    const silent = bodyOf();
    const role = bodyOf(ROLE);
    const openings = [begun(silent), begun(role)];
    await turn();
    t.mock.timers.tick(999);
    let open = 0;
    for (const opening of openings) void opening.then(() => open++);
    await turn();
    assert.equal(open, 0);
    t.mock.timers.tick(1);
    await turn();
    assert.equal(open, 2);
    const [, rest] = await Promise.all(openings);
    assert.ok(rest !== undefined);
    role.push(Buffer.from(HI));
    role.end();
    assert.equal((await collect(rest)).toString(), ROLE + HI);
    const quick = bodyOf(HI);
    const begunQuick = await begun(quick);
    t.mock.timers.tick(2_000);
    quick.push(Buffer.from(DONE));
    quick.end();
    assert.equal((await collect(begunQuick)).toString(), HI + DONE);
  });
});
