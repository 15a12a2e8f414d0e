import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { JsonScan } from '../../src/json/matches.ts';
import { compilePatterns } from '../../src/json/patterns.ts';
import { scanJson, scanJsonInTurns } from '../../src/json/scan.ts';
import { JsonScanError } from '../../src/json/tokens.ts';
import { jsonText, jsonTree, mutated } from '../helpers/json-text.ts';

const MIB = 1024 * 1024;
const SIZE_MIB = 12;
const PATHS = ['model', 'stream_options.include_usage', 'messages.*.content.*.image_url.url', 'input.*.*'];
const NAMES = [
  'model',
  'Model',
  'stream_options',
  'include_usage',
  'messages',
  'content',
  'image_url',
  'input',
  '',
];
const patterns = compilePatterns(PATHS);

/** How often others had their turn while a body was scanned, and what came of it. */
async function turnsOf(body: Buffer): Promise<{ turns: number; result: JsonScan | JsonScanError }> {
  let turns = 0;
  const turn = async () => {
    turns += 1;
  };
  try {
    return { result: await scanJsonInTurns(body, patterns, { turn }), turns };
  } catch (error) {
    assert.ok(error instanceof JsonScanError);
    return { result: error, turns };
  }
}

function filled(before: string, piece: string, after: string): Buffer {
  return Buffer.from(before + piece.repeat((SIZE_MIB * MIB) / Buffer.byteLength(piece)) + after);
}

describe('scanJsonInTurns()', () => {
  const bodies: [string, Buffer][] = [
    ['escapes in a string', filled('{"model":"m","x":"', '\\n', '"}')],
    ['\\u escapes in a string', filled('{"x":"', '\\u000a', '","model":"m"}')],
    ['escapes in a name', filled('{"', '\\n', '":1,"model":"m"}')],
    ['letters in a string', filled('{"x":"', 'a', '","model":"m"}')],
    ['three-byte letters', filled('{"x":"', '漢', '","model":"m"}')],
    ['white space in front', filled('', ' \r\n\t', '{"model":"m"}')],
    ['white space before a name', filled('{', '\n', '"model":"m"}')],
    ['white space before a colon', filled('{"model"', '\n', ':"m"}')],
    ['white space before a value', filled('{"model":', '\n', '"m"}')],
    ['white space at the end', filled('{"model":"m"}', '\t', '')],
  ];
  for (const [what, body] of bodies) {
    test(`B3: 12 MB of ${what}: others have their turn after each MiB`, async () => {
      const { turns, result } = await turnsOf(body);
      assert.ok(!(result instanceof JsonScanError), String(result));
      assert.deepEqual(
        result.matches.map(({ pattern }) => pattern),
        ['model'],
      );
      assert.equal(result.kind, 'object');
      assert.ok(turns >= SIZE_MIB - 1, `${turns}`);
    });
  }

  test('B3: a small body is scanned at once', () => {
    assert.ok(!(scanJsonInTurns(Buffer.from('{"model":"m"}'), patterns) instanceof Promise));
  });

  test('B3: a number of 12 MB is refused where it becomes too long', async () => {
    const { result } = await turnsOf(filled('[', '1', ']'));
    assert.ok(result instanceof JsonScanError);
    assert.deepEqual([result.reason, result.offset], ['too_large', 65_537]);
    assert.equal(scanJson(Buffer.from(`[${'1'.repeat(60_000)}.5e9]`), patterns).kind, 'array');
  });

  test('B3: a byte that is not UTF-8 is found where it is', async () => {
    const body = filled('{"x":"', 'é', '"}');
    body[11 * MIB] = 0xff;
    const { result } = await turnsOf(body);
    assert.ok(result instanceof JsonScanError && Math.abs(result.offset - 11 * MIB) <= 7);
  });

  test('scans that take turns with each other do not see what the others have seen', async () => {
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    const options = { atOnceBytes: 0, sliceBytes: 3, turn };
    const bodies = [
      '{"model":1,"stream_options":{"include_usage":2}}',
      '{"model":1}',
      '{"Model":1,"model":2}',
    ];
    const results = await Promise.all(
      bodies.map((body) => scanJsonInTurns(Buffer.from(body), patterns, options)),
    );
    for (const [at, body] of bodies.entries())
      assert.deepEqual(results[at], scanJson(Buffer.from(body), patterns));
  });

  test('finds in slices of any size what it finds at once', async () => {
    const outcome = async (body: Buffer, scan: () => JsonScan | Promise<JsonScan>): Promise<unknown> => {
      try {
        return await scan();
      } catch (error) {
        assert.ok(error instanceof JsonScanError);
        return isUtf8(body) ? [error.reason, error.offset] : error.reason;
      }
    };
    const turn = async () => {};
    const sound = jsonText(jsonTree(NAMES)).map(({ body }) => body);
    const runs = process.env['IPIN_LONG'] === '1' ? 50_000 : 1_000;
    await fc.assert(
      fc.asyncProperty(fc.oneof(sound, mutated(sound)), fc.nat(9), async (body, more) => {
        const options = { atOnceBytes: 0, sliceBytes: 1 + more, turn };
        const inTurns = await outcome(body, () => scanJsonInTurns(body, patterns, options));
        assert.deepEqual(inTurns, await outcome(body, () => scanJson(body, patterns)));
      }),
      { numRuns: runs },
    );
  });
});
