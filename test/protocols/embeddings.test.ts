import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import {
  convertEmbeddings,
  type EmbeddingsOptions,
  embeddingsRewriter,
  normaliseEmbeddings,
} from '../../src/protocols/embeddings.ts';
import { base64ToFloats, floatsToBase64 } from '../../src/protocols/float32.ts';

const FLOAT: EmbeddingsOptions = { encoding: 'float', model: null };
const BASE64: EmbeddingsOptions = { encoding: 'base64', model: null };

function answerWith(vectors: readonly unknown[], model = 'm'): string {
  const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding }));
  return JSON.stringify({ object: 'list', data, model, usage: { prompt_tokens: 3, total_tokens: 3 } });
}

function normalise(answer: string, options: EmbeddingsOptions): string | null {
  return normaliseEmbeddings(Buffer.from(answer), options)?.toString() ?? null;
}

async function convertInChunks(
  answer: string,
  sizes: readonly number[],
  options: EmbeddingsOptions,
): Promise<string> {
  const bytes = Buffer.from(answer);
  async function* source(): AsyncGenerator<Buffer> {
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  }
  const chunks: Buffer[] = [];
  for await (const chunk of convertEmbeddings(source(), options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function isUnreadable(error: unknown): boolean {
  return error instanceof HttpError && error.error.code === 'upstream_invalid_response';
}

describe('floatsToBase64() and base64ToFloats()', () => {
  it('use little-endian float32', () => {
    assert.equal(
      floatsToBase64([1, -2.5]),
      Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]).toString('base64'),
    );
    assert.deepEqual([...(base64ToFloats('AACAPwAAIMA=') ?? [])], [1, -2.5]);
    assert.deepEqual([...(base64ToFloats('AACAPwAAIMA') ?? [])], [1, -2.5]);
    assert.equal(floatsToBase64([]), '');
  });
  it('return null for invalid input', () => {
    for (const values of [[null], ['1'], [1e39], [Number.NaN], [[1]]])
      assert.equal(floatsToBase64(values), null);
    for (const text of ['AAAA', 'AACAP', 'AAC-Pw==', 'AAC Pw==', '=', 'AACAPw===', '%']) {
      assert.equal(base64ToFloats(text), null, text);
    }
  });
});

describe('normaliseEmbeddings()', () => {
  it('returns null if nothing has to change', () => {
    assert.equal(normalise(answerWith([[0.1, 2]]), FLOAT), null);
    assert.equal(normalise(answerWith(['AACAPw==']), BASE64), null);
    assert.equal(normalise(answerWith([]), BASE64), null);
    assert.equal(normalise('{"error":{"message":"no [1] \\" }"}}', BASE64), null);
    assert.equal(normalise('', BASE64), null);
  });

  it('encodes and decodes, and keeps every other byte', () => {
    assert.equal(normalise(answerWith([[1, -2.5], []]), BASE64), answerWith(['AACAPwAAIMA=', '']));
    assert.equal(normalise(answerWith(['AACAPwAAIMA=', '']), FLOAT), answerWith([[1, -2.5], []]));
    const odd =
      ' {"id" : 1.50e+2,"data":[ {"embedding" :\n[ 1 , 2e0 ] ,"x":[[{"embedding":[1]}]]}],"embedding":[1]} ';
    assert.equal(normalise(odd, BASE64), odd.replace('[ 1 , 2e0 ]', '"AACAPwAAAEA="'));
  });

  it('accepts both encodings in one response', () => {
    assert.equal(normalise(answerWith([[1], 'AACAPw==']), BASE64), answerWith(['AACAPw==', 'AACAPw==']));
  });

  it('writes exact numbers', () => {
    const values = [0.1, 1 / 3, 1e-45, 3.4028234663852886e38, -0, 1.17549435e-38].map(Math.fround);
    const answer = normalise(answerWith([floatsToBase64(values)]), FLOAT);
    const read: number[] = JSON.parse(answer ?? '').data[0].embedding;
    assert.ok(read.length === values.length && read.every((value, at) => Object.is(value, values[at])));
  });

  it('reads escaped names, and strings that look like names', () => {
    const escaped = answerWith([[1]])
      .replace('embedding"', 'embedding","note":"\\"embedding\\": [1],\\\\"')
      .replace('"embedding":', '"\\u0065mbedding":');
    assert.equal(normalise(escaped, BASE64), escaped.replace('[1]}', '"AACAPw=="}'));
  });

  it('leaves nested arrays unchanged', () => {
    assert.equal(normalise(answerWith([[[1], [2]]]), BASE64), null);
    assert.equal(normalise(answerWith([[{ a: [1] }], ['x']]), BASE64), null);
    assert.equal(normalise(answerWith([null, { float: [1] }]), BASE64), null);
  });

  it("puts the client's id of the model", () => {
    const answer = answerWith([[1]], 'up/stream "m"');
    assert.equal(
      normalise(answer, { encoding: 'float', model: 'alias/"x"' }),
      answerWith([[1]], 'alias/"x"'),
    );
    assert.equal(normalise(answer, { encoding: 'base64', model: 'a' }), answerWith(['AACAPw=='], 'a'));
    assert.equal(normalise(answerWith([[1]], 'a'), { encoding: 'float', model: 'a' }), null);
    const inner = '{"data":[{"model":"x"}],"usage":{"model":"y"}}';
    assert.equal(normalise(inner, { encoding: 'float', model: 'a' }), null);
  });

  const refused: [string, string, EmbeddingsOptions][] = [
    ['numbers that are none', answerWith([[1, null]]), BASE64],
    ['numbers that float32 cannot hold', answerWith([[1e39]]), BASE64],
    ['broken numbers', '{"data":[{"embedding":[1,,2]}]}', BASE64],
    ['NaN', '{"data":[{"embedding":[NaN]}]}', BASE64],
    ['a text that is no vector', answerWith(['hello']), FLOAT],
    ['infinity', answerWith(['AACAfw==']), FLOAT],
    ['an end within a vector', '{"data":[{"embedding":[1,2', BASE64],
    ['an end within an array', '{"data":[{"embedding":[1,2', FLOAT],
    ['an end within a string', '{"data":[{"embedding":"AACA', FLOAT],
    ['an end before the end', '{"data":[{"embedding":[1]}', FLOAT],
    ['too many ends', '{}}', FLOAT],
    ['depth', '['.repeat(1000), FLOAT],
    ['a vector of 5 MB', answerWith(['A'.repeat(5_000_000)]).slice(0, -40), FLOAT],
  ];
  for (const [what, answer, options] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => normalise(answer, options), isUnreadable));
  }
});

describe('convertEmbeddings()', () => {
  const vector = fc.array(
    // JSON.stringify, which makes the expected answers, has no negative zero.
    fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    { maxLength: 12 },
  );
  const other = fc.oneof(
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constant(null),
    fc.constantFrom('"', '\\', '\\"', '[', '{"embedding":[1]}'),
  );
  const answers = fc.record({
    vectors: fc.array(vector, { maxLength: 4 }),
    extra: fc.dictionary(
      fc.string().filter((name) => !['data', 'model', '__proto__'].includes(name)),
      other,
    ),
    isBase64: fc.boolean(),
    encoding: fc.constantFrom('float' as const, 'base64' as const),
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
    space: fc.constantFrom(0, 1),
  });

  it('returns the same bytes wherever the chunks end', async () => {
    const property = fc.asyncProperty(
      answers,
      async ({ vectors, extra, isBase64, encoding, sizes, space }) => {
        const write = (kind: boolean): string => {
          const data = vectors.map((values, index) => ({
            ...extra,
            index,
            embedding: kind ? floatsToBase64(values) : values,
          }));
          return JSON.stringify({ ...extra, data, model: 'up' }, null, space);
        };
        const options = { encoding, model: 'alias' };
        const got = await convertInChunks(write(isBase64), sizes, options);
        const expected = JSON.parse(
          write(encoding === 'base64').replace(/"model": ?"up"\s*}$/, '"model":"alias"}'),
        );
        assert.deepEqual(JSON.parse(got), expected);
        assert.equal(normalise(write(isBase64), options), got);
      },
    );
    await fc.assert(property, { numRuns: process.env['IPIN_LONG'] === '1' ? 20_000 : 500 });
  });

  it('holds one vector at a time', async () => {
    const item = JSON.stringify({ embedding: Array.from({ length: 1000 }, (_, at) => at / 7) });
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from('{"data":[');
      for (let count = 0; count < 200; count++) {
        taken += item.length + 1;
        yield Buffer.from(`${count === 0 ? '' : ','}${item}`);
      }
      yield Buffer.from(']}');
    }
    let taken = 0;
    let given = 0;
    for await (const chunk of convertEmbeddings(source(), BASE64)) {
      given += chunk.length;
      assert.ok(taken / item.length - given / 5360 < 3);
    }
    assert.ok(given > 200 * 5336);
  });

  it('reads a vector that arrives byte by byte', async () => {
    const values = Array.from({ length: 3000 }, (_, at) => at / 3);
    const answer = await convertInChunks(answerWith([values]), [1], BASE64);
    assert.equal(answer, answerWith([floatsToBase64(values)]));
  });
});

it('B7: a vector that arrives byte by byte takes about its size in memory, at most 4 MiB', () => {
  const converter = embeddingsRewriter(BASE64);
  converter.push(Buffer.from('{"data":[{"embedding":[1'), []);
  const digit = Buffer.from('1');
  const before = process.memoryUsage();
  for (let count = 0; count < 4_000_000; count += 1) converter.push(digit, []);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  assert.ok(grown < 200 * 1024 * 1024, `${grown} bytes for 4 MB`);
  converter.push(Buffer.alloc(100_000, '1'), []);
  assert.throws(() => converter.push(Buffer.alloc(100_000, '1'), []), isUnreadable);
});
