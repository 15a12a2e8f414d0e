import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteGatherer } from '../src/byte-gatherer.ts';

function gather(chunks: readonly Buffer[], announcedBytes?: number): ByteGatherer {
  const gathered = new ByteGatherer(announcedBytes);
  for (const chunk of chunks) gathered.add(chunk);
  return gathered;
}

describe('ByteGatherer', () => {
  test('gives back what it got, however it was cut', () => {
    const chunk = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 30_000, max: 40_000 }).map((length) => new Uint8Array(length).fill(length)),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 60 }), fc.nat(3_000_000), (list, announcedBytes) => {
        const chunks = list.map((bytes) => Buffer.from(bytes));
        const expected = Buffer.concat(chunks);
        const gathered = gather(chunks, announcedBytes);
        assert.equal(gathered.length, expected.length);
        assert.ok(Buffer.concat([...gathered.pieces()]).equals(expected));
        assert.ok(gathered.whole().equals(expected));
      }),
    );
  });

  test('goes on after it was read', () => {
    const gathered = gather([Buffer.from('a'), Buffer.from('b')]);
    assert.equal(gathered.whole().toString(), 'ab');
    gathered.add(Buffer.from('c'));
    assert.equal(gathered.whole().toString(), 'abc');
  });

  test('keeps a few blocks of a body that came byte by byte, and none of its reads', () => {
    const read = Buffer.alloc(64 * 1024, 'x');
    const chunks = Array.from({ length: 200_000 }, (_, at) => read.subarray(at % 1000, (at % 1000) + 1));
    const pieces = gather(chunks).pieces();
    assert.ok(pieces.length <= 8, `${pieces.length} pieces`);
    assert.ok(pieces.every((piece) => piece.buffer !== read.buffer));
  });

  test('puts a body of an announced size into one block, once its first MiB is there', () => {
    const chunks = Array.from({ length: 64 }, (_, at) => Buffer.alloc(64 * 1024, at));
    const gathered = gather(chunks, 64 * 64 * 1024);
    assert.equal(gathered.pieces().length, 1);
    assert.ok(gathered.whole().equals(Buffer.concat(chunks)));
    assert.ok(gather(chunks.slice(0, 3), 64 * 64 * 1024).pieces().length === 3, 'not trusted yet');
  });

  test('copies neither large chunks nor the only one', () => {
    const small = Buffer.from('small');
    assert.equal(gather([small]).whole(), small);
    const large = Buffer.alloc(64 * 1024);
    assert.equal(gather([large, small, large]).pieces()[0], large);
  });
});
