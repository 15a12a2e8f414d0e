import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Stream } from 'openai/streaming';
import { bareLines, dataSpan, recordData, recordEvent, sseRecord } from '../../src/http/sse.ts';
import { type SsePart, SseRecords } from '../../src/http/sse-records.ts';

const numRuns = process.env['IPIN_LONG'] === '1' ? 20_000 : 400;
const LIMIT_BYTES = 4 * 1024 * 1024;

interface Cut {
  readonly records: string[];
  readonly rest: string | null;
}

function cut(chunks: readonly Buffer[], limitBytes = LIMIT_BYTES): Cut {
  const splitter = new SseRecords(limitBytes);
  const parts = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
  const records = wholeRecords(parts).map((record) => record.toString('latin1'));
  return { records, rest: splitter.end()?.toString('latin1') ?? null };
}

/** The records that the parts make up, each of which must begin and end once. */
function wholeRecords(parts: readonly SsePart[]): Buffer[] {
  const records: Buffer[] = [];
  let open: Buffer[] | null = null;
  for (const { bytes, begins, ends } of parts) {
    assert.equal(begins, open === null);
    open = [...(open ?? []), bytes];
    if (!ends) continue;
    records.push(Buffer.concat(open));
    open = null;
  }
  return records;
}

/** The records of a whole stream, found by another way than the code's: a line at a time by regular expression. */
function expectedCut(stream: Buffer): Cut {
  const lines = stream.toString('latin1').match(/[^\r\n]*(\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
  const records: string[] = [];
  let record = '';
  for (const line of lines) {
    record += line;
    if (!/^[\r\n]/.test(line)) continue;
    records.push(record);
    record = '';
  }
  return { records, rest: record || null };
}

function split(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let from = 0;
  for (const size of sizes) {
    chunks.push(stream.subarray(from, from + size));
    from += size;
  }
  return [...chunks, stream.subarray(from)];
}

const lineEnd = fc.constantFrom('\n', '\n', '\r\n', '\r');
const line = fc.oneof(
  fc.constantFrom(
    '',
    '',
    'data: {"a":"é😀"}',
    'data:x',
    'data',
    'data:',
    ': ping',
    'event: ping',
    'id: 1',
    '{"error":1}',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const stream = fc
  .array(
    fc.tuple(line, lineEnd).map(([text, end]) => text + end),
    { maxLength: 12 },
  )
  .chain((lines) => fc.constantFrom('', 'data: un').map((rest) => Buffer.from(lines.join('') + rest)));

/** A chunk may end between the CR and the LF of an empty line: then the LF is a record of its own. */
function rejoined(records: readonly string[]): string[] {
  const joined: string[] = [];
  for (const record of records) {
    const last = joined.at(-1);
    if (record === '\n' && last?.endsWith('\r')) joined[joined.length - 1] = `${last}\n`;
    else joined.push(record);
  }
  return joined;
}

describe('SseRecords', () => {
  it('cuts a stream that comes whole', () => {
    fc.assert(
      fc.property(stream, (bytes) => assert.deepEqual(cut([bytes]), expectedCut(bytes))),
      { numRuns },
    );
  });

  it('gives the same records and the same bytes wherever the stream is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat({ max: 9 }), { maxLength: 20 }), (bytes, sizes) => {
        const expected = expectedCut(bytes);
        const cuts = [split(bytes, sizes), [...bytes].map((byte) => Buffer.from([byte]))];
        for (let at = 0; at <= bytes.length; at++) cuts.push(split(bytes, [at]));
        for (const chunks of cuts) {
          const { records, rest } = cut(chunks);
          assert.equal(records.join('') + (rest ?? ''), bytes.toString('latin1'));
          assert.deepEqual({ records: rejoined(records), rest }, expected);
        }
      }),
      { numRuns: numRuns / 4 },
    );
  });

  it('gives every record with its last byte, also one that ends in CR', () => {
    const splitter = new SseRecords(LIMIT_BYTES);
    const push = (text: string) => splitter.push(Buffer.from(text)).map(({ bytes }) => String(bytes));
    assert.deepEqual(push('data: 1\n'), []);
    assert.deepEqual(push('\n'), ['data: 1\n\n']);
    assert.deepEqual(push('data: 2\r\n\r'), ['data: 2\r\n\r']);
    assert.deepEqual(push('\n'), ['\n']);
    assert.deepEqual(push('data: 3\r'), []);
    assert.deepEqual(push(''), []);
    assert.deepEqual(push('\n'), []);
    assert.deepEqual(push('\r\ndata: 4\r\r\ndata: 5'), ['data: 3\r\n\r\n', 'data: 4\r\r\n']);
    assert.equal(splitter.end()?.toString(), 'data: 5');
    assert.equal(splitter.end(), null);
  });

  it('gives views of the chunk, and the chunk itself where it is one record', () => {
    const splitter = new SseRecords(LIMIT_BYTES);
    const one = Buffer.from('data: 1\n\n');
    assert.equal(splitter.push(one)[0]?.bytes.buffer, one.buffer);
    const two = Buffer.from('data: 1\n\ndata: 2\n\ndata');
    for (const { bytes } of splitter.push(two)) assert.equal(bytes.buffer, two.buffer);
  });

  it('keeps no view of a chunk whose record is unfinished', () => {
    const splitter = new SseRecords(LIMIT_BYTES);
    const chunk = Buffer.from('data: 1');
    splitter.push(chunk);
    chunk.fill(0);
    const [first] = splitter.push(Buffer.from('\n\ndata: 2'));
    assert.equal(String(splitter.push(Buffer.from('\n\n'))[0]?.bytes), 'data: 2\n\n');
    assert.equal(String(first?.bytes), 'data: 1\n\n');
  });

  it('puts a long record together from many chunks', () => {
    const record = Buffer.from(`data: ${Array.from({ length: 20_000 }, (_, at) => at).join()}\n\n`);
    const sizes = Array.from({ length: 200 }, (_, at) => 1 + at * 3);
    assert.deepEqual(cut(split(record, sizes)), { records: [record.toString()], rest: null });
  });

  it('A2: gives a record that is longer than what may be held in pieces as they come', () => {
    const record = (bytes: number) => Buffer.from(`data: ${'x'.repeat(bytes - 8)}\n\n`);
    const partsOf = (bytes: Buffer, sizes: readonly number[]) => {
      const splitter = new SseRecords(100);
      return split(bytes, sizes).flatMap((chunk) => splitter.push(chunk));
    };
    for (const sizes of [[1], [40], [98], [99], Array.from({ length: 99 }, () => 1)]) {
      assert.equal(partsOf(record(100), sizes).length, 1);
      const parts = partsOf(record(101), sizes);
      assert.deepEqual(wholeRecords(parts), [record(101)]);
      assert.equal(parts[0]?.bytes.subarray(0, 6).toString(), 'data: ');
    }
    const splitter = new SseRecords(100);
    const piece = Buffer.alloc(1024 * 1024, 0x78);
    for (let count = 0; count < 8; count += 1) {
      const begins = count === 0;
      assert.deepEqual(splitter.push(piece), [{ bytes: piece, begins, ends: false }]);
      assert.equal(splitter.isInsideRecord, true);
    }
    assert.equal(splitter.end(), null);
    const end = Buffer.from('\n\n');
    assert.deepEqual(splitter.push(end), [{ bytes: end, begins: false, ends: true }]);
    assert.equal(splitter.isBetweenRecords, true);
  });
});

describe('the fields of a record', () => {
  const cases: [record: string, data: string | null, event: string | null][] = [
    ['data: a\n\n', 'a', null],
    ['data:a\n\n', 'a', null],
    ['data:  a \r\n\r\n', ' a ', null],
    ['data: a\rdata:b\r\r', 'a\nb', null],
    ['data\ndata\n\n', '\n', null],
    ['data:\n\n', '', null],
    ['data: \n\n', '', null],
    ['data:\n \n\n', '', null],
    [': comment\n\n', null, null],
    [':data: a\n\n', null, null],
    ['\n', null, null],
    ['event: ping\ndata: {}\nid: 3\n\n', '{}', 'ping'],
    ['event: a\nevent:é\ndata: 1\n\n', '1', 'é'],
    ['event: a\nevent\ndata: 1\n\n', '1', null],
    ['Data: a\n data: b\ndatax: c\ndata x\n\n', null, null],
    ['\ufeffdata: a\n\n', 'a', null],
    ['data: a', 'a', null],
    ['data: a\r', 'a', null],
    ['data: a\n: x\ndata: b\nretry: 5\ndata: c', 'a\nb\nc', null],
  ];
  for (const [record, data, event] of cases) {
    it(`are read from ${JSON.stringify(record)}`, () => {
      assert.equal(recordData(Buffer.from(record))?.toString() ?? null, data);
      assert.equal(recordEvent(Buffer.from(record)), event);
    });
  }

  it('say where the data is, if it is in one line', () => {
    const span = (record: string) => {
      const found = dataSpan(Buffer.from(record));
      return found === null ? null : Buffer.from(record).toString('utf8', found.start, found.end);
    };
    assert.equal(span('event: é\r\ndata: {"a":1}\r\n\r\n'), '{"a":1}');
    assert.equal(span('data: a\ndata: b\n\n'), null);
    assert.equal(span('event: a\n\n'), null);
    assert.deepEqual(dataSpan(Buffer.from('data:\n\n')), { start: 5, end: 5 });
    assert.deepEqual(dataSpan(Buffer.from('data\n x\n\n')), { start: 4, end: 4 });
  });

  it('are views of the record where they can be', () => {
    const record = Buffer.from('data: abc\n\n');
    assert.equal(recordData(record)?.buffer, record.buffer);
  });

  it('leave bare JSON lines to be seen', () => {
    const bare = (record: string) => bareLines(Buffer.from(record)).map(String);
    assert.deepEqual(bare('data: {}\n{"detail":"é"}\r\n{"b":1}'), ['{"detail":"é"}', '{"b":1}']);
    assert.deepEqual(bare('data: {\n: {\n {}\n\n'), []);
    assert.equal(bare('{\n'.repeat(1000)).length, 16);
  });
});

describe('sseRecord', () => {
  it('writes what the readers read', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ' ', ':', '\n', '\r', 'é', '{', '"'),
      maxLength: 12,
    });
    const event = fc.option(fc.stringMatching(/^[a-z.]{1,9}$/), { nil: undefined });
    fc.assert(
      fc.property(text, event, (data, type) => {
        const record = sseRecord(data, type);
        assert.deepEqual(cut([record]), { records: [record.toString('latin1')], rest: null });
        assert.equal(String(recordData(record)), data.replaceAll(/\r\n|\r/g, '\n'));
        assert.equal(recordEvent(record), type ?? null);
      }),
      { numRuns },
    );
  });

  it('writes one data line where the data is one line', () => {
    assert.equal(String(sseRecord('{"a":1}')), 'data: {"a":1}\n\n');
    assert.equal(String(sseRecord('{}', 'error')), 'event: error\ndata: {}\n\n');
  });

  it('refuses line ends in the type of an event', () => {
    for (const event of ['a\nb', 'a\r']) assert.throws(() => sseRecord('x', event), RangeError);
  });
});

describe('the openai client', () => {
  it('reads the same data from the same stream', async () => {
    const json = fc.oneof(fc.string(), fc.integer(), fc.record({ a: fc.string({ unit: 'grapheme' }) }));
    const block = fc.record({ json, space: fc.boolean(), comment: fc.boolean(), type: fc.boolean() });
    const blocks = fc.array(block, { maxLength: 6 });
    const write = (
      items: readonly { json: unknown; space: boolean; comment: boolean; type: boolean }[],
      end: string,
    ) =>
      items
        .map((item) => {
          const data = `data:${item.space ? ' ' : ''}${JSON.stringify(item.json)}`;
          const lines = [
            ...(item.comment ? [': keep-alive'] : []),
            ...(item.type ? ['event: x'] : []),
            data,
            '',
            '',
          ];
          return lines.join(end);
        })
        .join('');
    await fc.assert(
      fc.asyncProperty(blocks, fc.constantFrom('\n', '\r\n', '\r'), fc.nat(), async (items, end, at) => {
        const bytes = Buffer.from(write(items, end));
        const chunks = split(bytes, [at % (bytes.length + 1)]);
        const splitter = new SseRecords(LIMIT_BYTES);
        const records = wholeRecords(chunks.flatMap((chunk) => splitter.push(chunk)));
        const ours = records
          .map(recordData)
          .flatMap((data) => (data === null ? [] : [JSON.parse(String(data))]));
        const theirs: unknown[] = [];
        for await (const item of Stream.fromSSEResponse(new Response(bytes), new AbortController()))
          theirs.push(item);
        assert.deepEqual(ours, theirs);
      }),
      { numRuns: 100 },
    );
  });
});
