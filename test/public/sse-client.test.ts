import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

interface SseEvent {
  event: string;
  data: string;
}
interface Decoder {
  push(text: string): SseEvent[];
  end(): SseEvent[];
}

const module: Record<string, unknown> = await import(
  new URL('../../public/js/lib/sse-client.js', import.meta.url).href
);
const createSseDecoder = module['createSseDecoder'] as (limitChars?: number) => Decoder;
const readSse = module['readSse'] as (body: ReadableStream<Uint8Array>) => AsyncGenerator<SseEvent>;

const decodeAll = (pieces: string[], limit?: number): SseEvent[] => {
  const decoder = createSseDecoder(limit);
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()];
};
const message = (data: string): SseEvent => ({ event: 'message', data });

const ROWS: readonly [name: string, wire: string, events: SseEvent[]][] = [
  ['one event', 'data: a\n\n', [message('a')]],
  ['several data lines', 'data: a\ndata:b\n\n', [message('a\nb')]],
  ['CRLF and CR', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', [message('a'), message('b'), message('c')]],
  ['comments and unknown fields', ': keep-alive\n\nid: 1\nretry: 5\ndata: a\n\n', [message('a')]],
  ['named events', 'event: ping\n\nevent: done\ndata: a\n\n', [{ event: 'done', data: 'a' }]],
  ['a missing last blank line', 'data: a\n\ndata: [DONE]', [message('a'), message('[DONE]')]],
  ['a byte order mark', '\uFEFFdata: a\n\n', [message('a')]],
  ['only one space is taken', 'data:  a\n\n', [message(' a')]],
];

for (const [name, wire, events] of ROWS) {
  test(`events: ${name}`, () => {
    assert.deepEqual(decodeAll([wire]), events);
    assert.deepEqual(decodeAll([...wire]), events, 'one character at a time');
  });
}

test('where the chunks are cut makes no difference', () => {
  const scraps = fc.constantFrom(
    'data:',
    'data: x',
    'event: e',
    ':',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    ' ',
    'é',
    '😀',
  );
  fc.assert(
    fc.property(fc.array(scraps, { maxLength: 30 }), (parts) => {
      assert.deepEqual(decodeAll(parts), decodeAll([parts.join('')]));
    }),
  );
});

test('an event that is too large is refused, one that fits is not', () => {
  assert.throws(() => decodeAll(['data: ', 'x'.repeat(90), 'y'.repeat(90)], 100), RangeError);
  assert.equal(
    decodeAll(['data: ', 'x'.repeat(80), '\n\n', 'data: ', 'x'.repeat(80), '\n\n'], 100).length,
    2,
  );
});

test('bytes of one character in two chunks are joined, and leaving the loop cancels the body', async () => {
  const bytes = new TextEncoder().encode('data: é\n\ndata: never\n\n');
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes.slice(0, 7));
      controller.enqueue(bytes.slice(7));
    },
    cancel() {
      isCancelled = true;
    },
  });
  for await (const event of readSse(body)) {
    assert.deepEqual(event, message('é'));
    break;
  }
  assert.ok(isCancelled);
});
