import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import { type MultipartPart, MultipartReader, readField } from '../../src/http/multipart.ts';
import { relayMultipart } from '../../src/http/multipart-writer.ts';
import { collect } from '../helpers/chunks.ts';

const IS_LONG = process.env['IPIN_LONG'] === '1';

interface Part {
  readonly name: string;
  readonly filename: string | null;
  readonly contentType: string | null;
  readonly body: Buffer;
}

async function* cut(body: Buffer, ...places: number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const place of [...places, body.length]) {
    yield body.subarray(from, place);
    from = place;
  }
}

async function readAll(source: AsyncIterable<Buffer>, boundary: string): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const part of new MultipartReader(source, boundary)) {
    const { name, filename, contentType } = part;
    parts.push({ name, filename, contentType, body: await readField(part, 1e6) });
  }
  return parts;
}

async function* unread(given: readonly Part[]): AsyncGenerator<MultipartPart> {
  for (const part of given) yield { ...part, isFile: part.filename !== null, body: cut(part.body) };
}

function bytesOf(given: readonly Part[], boundary: string): Promise<Buffer> {
  const options = { boundary, replace: new Map<string, string>(), fieldLimitBytes: 1e6 };
  return collect(relayMultipart(unread(given), options));
}

const BOUNDARY = '-b';
/** Pieces that come close to a delimiter, so that every partial match is met. */
const content = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r',
        '\n',
        '-',
        '\r\n',
        '--',
        '\r\n-',
        '\r\n--',
        '\r\n---',
        '\r\r\n--',
        'b',
        '\r\n\r\n',
      ),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.from(pieces.join(''), 'latin1'))
  .filter(
    (bytes) =>
      !bytes.includes(`\r\n--${BOUNDARY}`) && !bytes.subarray(0, 4).equals(Buffer.from(`--${BOUNDARY}`)),
  );
const name = fc
  .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
  .filter((text) => !/%|\p{Cc}|\p{Cs}|\\/u.test(text));
const parts: fc.Arbitrary<Part[]> = fc.array(
  fc.record(
    {
      name,
      filename: fc.option(name.filter((text) => !/[\\/]|^\.{1,2}$/.test(text))),
      contentType: fc.constantFrom('audio/mpeg', 'text/plain; charset="x"'),
      body: content,
    },
    { noNullPrototype: true },
  ),
  { maxLength: 4 },
);

describe('MultipartReader with random bodies', () => {
  it('gives the same parts wherever the body is cut', async () => {
    const property = fc.asyncProperty(parts, async (given) => {
      const body = await bytesOf(given, BOUNDARY);
      for (let at = 0; at <= body.length; at++)
        assert.deepEqual(await readAll(cut(body, at), BOUNDARY), given);
      assert.deepEqual(await readAll(cut(body, ...body.keys()), BOUNDARY), given);
    });
    await fc.assert(property, { numRuns: IS_LONG ? 500 : 10 });
  });

  it('refuses or reads any mutation alike, in one chunk and in many, and always comes to an end', async () => {
    const outcome = async (source: AsyncIterable<Buffer>): Promise<unknown> => {
      try {
        return await readAll(source, BOUNDARY);
      } catch (error) {
        assert.ok(error instanceof HttpError, String(error));
        return error.message;
      }
    };
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(4),
      insert: fc.constantFrom(
        '',
        '\r',
        '\n',
        '"',
        '\\',
        ';',
        ':',
        '%',
        '\0',
        '--',
        '\r\n',
        `\r\n--${BOUNDARY}`,
        "filename*=''",
      ),
    });
    const property = fc.asyncProperty(
      parts,
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      async (given, edits) => {
        let body = await bytesOf(given, BOUNDARY);
        for (const { at, remove, insert } of edits) {
          const place = Math.floor(at * body.length);
          body = Buffer.concat([body.subarray(0, place), Buffer.from(insert), body.subarray(place + remove)]);
        }
        const places = edits.map(({ at }) => Math.floor(at * body.length)).sort((a, b) => a - b);
        assert.deepEqual(await outcome(cut(body, ...places)), await outcome(cut(body)));
      },
    );
    await fc.assert(property, { numRuns: IS_LONG ? 20_000 : 2_000 });
  });
});
