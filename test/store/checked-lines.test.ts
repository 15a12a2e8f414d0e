import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  appendCheckedLines,
  asidePath,
  readCheckedLines,
  scanCheckedLines,
  toCheckedLine,
  writeCheckedLines,
} from '../../src/store/checked-lines.ts';
import { crc32, tableCrc32 } from '../../src/store/crc32.ts';
import { nodeFileOps } from '../../src/store/file-ops.ts';
import { makeFolder } from './fixture.ts';

const LONG = process.env['IPIN_LONG'] === '1';
const runs = (count: number): { numRuns: number } => ({ numRuns: LONG ? count * 20 : count });

const line = fc
  .oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), fc.json())
  .filter((text) => Buffer.from(text).toString() === text && !text.includes('\n'));
const lines = fc.array(line, { minLength: 1, maxLength: 12 });

async function textsOf(bytes: Buffer): Promise<{ texts: string[]; damaged: number }> {
  const texts: string[] = [];
  const damaged = await scanCheckedLines(bytes, { onText: (text) => texts.push(text) });
  return { texts, damaged: damaged.length };
}

async function readAll(path: string, limitBytes = 1e6): Promise<{ texts: string[]; isDamaged: boolean }> {
  const texts: string[] = [];
  const isDamaged = await readCheckedLines(nodeFileOps, path, {
    limitBytes,
    onText: (text) => texts.push(text),
  });
  return { texts, isDamaged };
}

/** True if `texts` are `whole` without at most `missing` of them, in the same order. */
function isNearly(texts: readonly string[], whole: readonly string[], missing: number): boolean {
  let at = 0;
  for (const text of whole) if (texts[at] === text) at += 1;
  return at === texts.length && whole.length - texts.length <= missing;
}

describe('crc32', () => {
  it('has the check value of the catalogue of parametrised CRC algorithms', () => {
    assert.equal(tableCrc32(Buffer.from('123456789')), 0xcbf43926);
    assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
    assert.equal(tableCrc32(Buffer.alloc(0)), 0);
  });

  it("is the same in JavaScript as in Node's own code", () => {
    const bytes = fc.uint8Array({ maxLength: 2_000 });
    fc.assert(
      fc.property(bytes, (some) => assert.equal(tableCrc32(some), crc32(some))),
      runs(200),
    );
  });
});

describe('checked lines', () => {
  it('come back as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(lines, async (texts) => {
        const bytes = Buffer.concat(texts.map(toCheckedLine));
        assert.deepEqual(await textsOf(bytes), { texts, damaged: 0 });
      }),
      runs(200),
    );
  });

  it('many of them without their line feeds are read in one pass', { timeout: 60_000 }, async () => {
    const texts = Array.from({ length: 120_000 }, (_, index) => `${index} ${'x'.repeat(60)}`);
    const bytes = Buffer.concat(texts.map(toCheckedLine));
    for (let at = bytes.indexOf('\n'); at >= 0; at = bytes.indexOf('\n', at)) bytes[at] = 13;
    const read = await textsOf(bytes);
    assert.deepEqual([read.texts.length, read.damaged], [texts.length, texts.length]);
  });

  it('a damaged byte, wherever it is, costs one line at most and is told', async () => {
    const change = fc.integer({ min: 1, max: 255 });
    await fc.assert(
      fc.asyncProperty(lines, fc.nat(), change, async (texts, place, mask) => {
        const bytes = Buffer.concat(texts.map(toCheckedLine));
        const at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        const read = await textsOf(bytes);
        assert.ok(read.damaged > 0);
        assert.ok(isNearly(read.texts, texts, 1), JSON.stringify(read.texts));
      }),
      runs(1_000),
    );
  });

  it('a torn file keeps every line before the tear', async () => {
    await fc.assert(
      fc.asyncProperty(lines, fc.nat(), async (texts, place) => {
        const whole = texts.map(toCheckedLine);
        const bytes = Buffer.concat(whole);
        const length = place % bytes.length;
        const read = await textsOf(bytes.subarray(0, length));
        let count = 0;
        // The text of a line may be whole where only its line feed is missing.
        for (let sum = 0; count < whole.length; count++) {
          sum += whole[count]?.length ?? 0;
          if (sum - 1 > length) break;
        }
        assert.deepEqual(read.texts, texts.slice(0, count));
      }),
      runs(300),
    );
  });

  it('any bytes at all can be read', async () => {
    const bytes = fc.uint8Array({ maxLength: 500 });
    await fc.assert(
      fc.asyncProperty(bytes, async (some) => {
        await textsOf(Buffer.from(some));
      }),
      runs(300),
    );
  });

  it('a line feed in a text is refused', () => {
    assert.throws(() => toCheckedLine('a\nb'), /line feed/);
  });
});

describe('files of checked lines', () => {
  it('a missing file is not damaged', async () => {
    const read = readCheckedLines(nodeFileOps, join(makeFolder(), 'none'), {
      limitBytes: 10,
      onText: () => assert.fail(),
    });
    assert.equal(await read, false);
  });

  it('appended lines follow those that are there; a torn line does not harm the next one', async () => {
    const path = join(makeFolder(), 'file');
    await appendCheckedLines(nodeFileOps, path, ['a']);
    await appendCheckedLines(nodeFileOps, path, ['b', 'c']);
    writeFileSync(path, readFileSync(path).subarray(0, -3));
    await appendCheckedLines(nodeFileOps, path, ['d']);
    assert.deepEqual(await readAll(path), { texts: ['a', 'b', 'd'], isDamaged: true });
  });

  it('the damaged part is set aside once, and the damage is told as long as it lies there', async () => {
    const path = join(makeFolder(), 'file');
    await writeCheckedLines(nodeFileOps, path, ['first', 'second', 'third']);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('second')] = 0x53;
    writeFileSync(path, bytes);
    for (const _ of [1, 2]) {
      assert.deepEqual(await readAll(path), { texts: ['first', 'third'], isDamaged: true });
      assert.match(readFileSync(asidePath(path), 'latin1'), /^[0-9a-f]{8} Second\n$/);
    }
    assert.equal(existsSync(`${path}.tmp`), false);
  });

  it('a file that is too large is set aside as a whole', async () => {
    const path = join(makeFolder(), 'file');
    await writeCheckedLines(nodeFileOps, path, ['first', 'second']);
    assert.deepEqual(await readAll(path, 10), { texts: [], isDamaged: true });
    assert.equal(existsSync(path), false);
    assert.equal(existsSync(asidePath(path)), true);
  });

  it('a folder that cannot be written does not keep anybody from reading', async () => {
    const path = join(makeFolder(), 'file');
    await writeCheckedLines(nodeFileOps, path, ['first', 'second']);
    writeFileSync(path, readFileSync(path).subarray(0, -4));
    const refuse = async (): Promise<never> => {
      throw Object.assign(new Error('read-only'), { code: 'EROFS' });
    };
    const open: typeof nodeFileOps.open = (name, flags) =>
      flags === 'r' ? nodeFileOps.open(name, flags) : refuse();
    const ops = { ...nodeFileOps, open, rename: refuse };
    const texts: string[] = [];
    const isDamaged = await readCheckedLines(ops, path, {
      limitBytes: 1e6,
      onText: (text) => texts.push(text),
    });
    assert.equal(isDamaged, true);
    assert.deepEqual(texts, ['first']);
  });

  it('a crash that left a temporary file does not stop the next writing', async () => {
    const path = join(makeFolder(), 'file');
    writeFileSync(`${path}.tmp`, 'half');
    await writeCheckedLines(nodeFileOps, path, ['one']);
    assert.deepEqual(await readAll(path), { texts: ['one'], isDamaged: false });
  });
});
