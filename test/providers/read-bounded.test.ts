import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { type BodySource, bodyOf, piecesOf } from '../../src/http/body-source.ts';
import { readBounded } from '../../src/providers/read-bounded.ts';
import { ResponseBody } from '../../src/providers/upstream/response-body.ts';
import { chunksOf, collect } from '../helpers/chunks.ts';

const NOWHERE = { pause() {}, resume() {}, leave() {} };

const source = (...parts: string[]): BodySource => bodyOf(chunksOf(...parts));

async function rest(body: BodySource): Promise<string> {
  return (await collect(piecesOf(body))).toString();
}

describe('readBounded()', () => {
  test('reads a body within the bound, or exactly at it', async () => {
    for (const limit of [6, 100]) {
      const { isWhole, bytes } = await readBounded(source('abc', 'def'), limit);
      assert.deepEqual([isWhole, bytes.toString()], [true, 'abcdef']);
    }
    const nothing = { isWhole: true, bytes: Buffer.alloc(0), isOverBudget: false };
    assert.deepEqual(await readBounded(source(), 0), nothing);
  });

  test('puts every byte of a larger body back', async () => {
    for (const limit of [0, 1, 3, 5]) {
      const body = source('abc', 'def', 'ghi');
      const { isWhole } = await readBounded(body, limit);
      assert.equal(isWhole, false);
      assert.equal(await rest(body), 'abcdefghi');
    }
  });

  test('rejects with the reason: an error of the provider, or the error that destroyed the body', async () => {
    const own = new HttpError('upstream_timeout', 'late');
    for (const [error, code] of [
      [new Error('reset'), 'upstream_invalid_response'],
      [own, 'upstream_timeout'],
    ] as const) {
      const body = new ResponseBody(NOWHERE);
      body.push(Buffer.from('abc'));
      const reading = readBounded(body, 100);
      body.fail(error);
      await assert.rejects(reading, (thrown) => thrown instanceof HttpError && thrown.error.code === code);
      await assert.rejects(
        readBounded(body, 100),
        (thrown) => thrown instanceof HttpError && thrown.error.code === code,
      );
    }
    const closed = new ResponseBody(NOWHERE);
    closed.destroy();
    await assert.rejects(readBounded(closed, 1), HttpError);
  });
});
