import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { firstMatch, type JsonScan, readString } from '../../src/json/matches.ts';
import { compilePatterns } from '../../src/json/patterns.ts';
import { scanJson } from '../../src/json/scan.ts';
import { JsonScanError } from '../../src/json/tokens.ts';

const WANTED = ['model', 'stream', 'stream_options.include_usage', 'messages.*.content', 'input.*.*'];
const patterns = compilePatterns(WANTED);

function scan(text: string | Buffer, wanted: readonly string[] = WANTED): JsonScan {
  return scanJson(Buffer.from(text), compilePatterns(wanted));
}

function errorOf(text: string | Buffer, limits?: { depth: number; structures: number }): JsonScanError {
  try {
    scanJson(Buffer.from(text), patterns, limits);
  } catch (error) {
    assert.ok(error instanceof JsonScanError);
    return error;
  }
  return assert.fail(`accepted ${text}`);
}

describe('scanJson', () => {
  it('knows the kind of the root and of each match', () => {
    const kinds = {
      '{}': 'object',
      '[]': 'array',
      '""': 'string',
      '-1': 'number',
      null: 'null',
      true: 'boolean',
    };
    for (const [text, kind] of Object.entries(kinds)) {
      assert.equal(scan(` ${text} `).kind, kind);
      const match = firstMatch(scan(`{"model" : ${text} }`), 'model');
      assert.deepEqual(match, { pattern: 'model', kind, start: 11, end: 11 + text.length });
    }
  });

  it('reads escaped names and values', () => {
    const body = Buffer.from(String.raw`{"mod\u0065l":"a\"\/\n\ud83d\ude00\ud800é"}`);
    const match = firstMatch(scanJson(body, patterns), 'model');
    assert.ok(match);
    assert.equal(readString(body, match), 'a"/\n😀\ud800é');
  });

  it('refuses to read what is not a string', () => {
    const body = Buffer.from('{"model":["x"]}');
    const match = firstMatch(scanJson(body, patterns), 'model');
    assert.ok(match);
    assert.throws(() => readString(body, match), TypeError);
  });

  it('takes no member for an element and no element for a member', () => {
    assert.deepEqual(scan('{"messages":{"0":{"content":1},"*":{"content":1}}}').matches, []);
    assert.deepEqual(scan('[{"model":"x"}]').matches, []);
    assert.deepEqual(scan('{"a":{"model":"x"}}').matches, []);
  });

  const ambiguities: [string, string[]][] = [
    ['{"model":1,"model":1}', ['model']],
    [String.raw`{"model":1,"\u006d\u006F\u0064el":1}`, ['model']],
    ['{"Model":1,"model":1}', ['model']],
    ['{"Model":1,"MODEL":1}', ['model']],
    ['{"Model":1}', []],
    ['{"ſtream":1,"stream":1}', ['stream']],
    [String.raw`{"\u017Ftream":1,"stream":1}`, ['stream']],
    ['{"a":{"model":1,"model":2}}', []],
    ['{"stream_options":{"include_usage":1,"include_usage":1}}', ['stream_options.include_usage']],
    ['{"stream_options":{"include_usage":1,"Include_usage":1}}', []],
    ['{"stream_options":1,"stream_options":1}', ['stream_options.include_usage']],
    ['{"messages":[{"content":1},{"content":1}]}', []],
    ['{"mod\u0435l":1,"model":1}', []],
    [String.raw`{"model\u0000":1,"model":1}`, []],
    [String.raw`{"\bodel":1,"model":1}`, []],
  ];
  for (const [text, expected] of ambiguities) {
    it(`finds ${expected.join() || 'nothing'} ambiguous in ${text}`, () => {
      assert.deepEqual(scan(text).ambiguous, expected);
    });
  }

  it('tells of names in other letter case also where they stand once, at the top level only', () => {
    assert.deepEqual(scan('{"KEY":1}', ['key', 'key.x', 'other']).folded, ['key', 'key.x']);
    assert.deepEqual(scan('{"\u212aey":1,"a":{"Other":1},"other":2}', ['key', 'other']).folded, ['key']);
    assert.deepEqual(scan('{"key":1,"keys":2}', ['key']).folded, []);
  });

  it('folds the kelvin sign like a decoder without regard to letter case', () => {
    assert.deepEqual(scan('{"\u212aey":1,"key":1}', ['key']).ambiguous, ['key']);
    assert.deepEqual(scan(String.raw`{"\u212aey":1,"Key":1}`, ['key']).ambiguous, ['key']);
  });

  it('folds letters only', () => {
    assert.deepEqual(scan('{"{":1,"[":1,"`":1,"@":1}', ['[', '@']).ambiguous, []);
  });

  it('gives the byte where a text stops being JSON', () => {
    const cases: [string | Buffer, number][] = [
      ['', 0],
      ['  ', 2],
      ['\ufeff{}', 0],
      ['{"a":1,}', 7],
      ['[1 2]', 3],
      ['{"a" 1}', 5],
      ['"a\nb"', 2],
      ['"abc', 4],
      ['truth', 3],
      ['01', 1],
      ['1.', 2],
      ['{} {}', 3],
      ['"\\u00g0"', 5],
    ];
    for (const [text, offset] of cases) {
      const error = errorOf(text);
      assert.deepEqual([error.reason, error.offset], ['invalid_json', offset], String(text));
    }
  });

  it('refuses what is not UTF-8 near the place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(), (text, where) => {
        const sound = Buffer.from(JSON.stringify(text));
        const at = where % sound.length;
        const body = Buffer.concat([sound.subarray(0, at), Buffer.from([0xff]), sound.subarray(at)]);
        const { offset } = errorOf(body);
        assert.ok(offset <= at && at - offset < 8, `${offset} for ${at}`);
      }),
      { numRuns: 300 },
    );
  });

  it('takes 128 levels and refuses the 129th', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    assert.equal(scan(nested(128)).kind, 'array');
    assert.deepEqual([errorOf(nested(129)).reason, errorOf(nested(129)).offset], ['too_deep', 128]);
    const limits = { depth: 200_000, structures: 1_000_000 };
    assert.equal(scanJson(Buffer.from(nested(200_000)), patterns, limits).kind, 'array');
  });

  it('bounds structural characters and matches, not the characters inside strings', () => {
    assert.equal(scan(`["${'{}[]:,'.repeat(10)}"]`).kind, 'array');
    const limits = { depth: 9, structures: 7 };
    assert.equal(scanJson(Buffer.from('{"a":[1,2]}'), patterns, { ...limits, structures: 6 }).kind, 'object');
    assert.equal(scanJson(Buffer.from('{"a":[1,2]}'), patterns, limits).kind, 'object');
    assert.equal(errorOf('{"a":[1,2,3]}', { ...limits, structures: 6 }).reason, 'too_large');
    assert.equal(errorOf(`[${'1,'.repeat(1_000_000)}1]`).reason, 'too_large');
    assert.equal(errorOf(`{"input":[[${'1,'.repeat(100_000)}1]]}`).reason, 'too_large');
  });

  it('starts afresh after a body that it refused', () => {
    errorOf('{"model":1,"messages":[{"content":[{"image_url":');
    const found = scan('{"model":1}');
    assert.deepEqual(found.matches, [{ pattern: 'model', kind: 'number', start: 9, end: 10 }]);
    assert.deepEqual(scanJson(Buffer.from('{"model":1}'), patterns).ambiguous, []);
  });
});

describe('compilePatterns', () => {
  it('refuses a step that no name in ASCII can be', () => {
    for (const bad of ['', 'a..b', 'a.', 'é', 'a b', 'x'.repeat(65)]) {
      assert.throws(() => compilePatterns([bad]), RangeError, bad);
    }
  });
});
