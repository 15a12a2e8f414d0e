import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HOSTILE_BYTES, HOSTILE_LINES, responses, spoiled } from './responses.ts';
import { viaNode } from './via-node.ts';
import { type Outcome, viaParser } from './via-parser.ts';

const IS_LONG = process.env['IPIN_LONG'] === '1';
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Where our parser refuses what node:http takes, each with the words of its error. */
const STRICTER: readonly (readonly [reason: string, why: string])[] = [
  [
    'a character that no head may have',
    'control characters in the reason phrase, line ends of one character',
  ],
  [
    'no status line of HTTP/1.1',
    'empty lines before it, other versions than 1.0 and 1.1, more after the status than a space',
  ],
  ['no HTTP/1.1', 'the same, seen before the head is whole'],
  ['a line end of one character', 'line ends of one character, seen before the head is whole'],
  ['a header with a bad name', 'folded lines'],
  ['a header without a colon', 'folded lines'],
  ['an unknown transfer-encoding', 'any but chunked'],
  ['a second transfer-encoding', 'also where both say chunked'],
  ['a second content-length', 'also of responses that have no body'],
  ['a bad content-length', 'also of responses that have no body; numbers that are not exact'],
  ['a length and chunks', 'also of responses that have no body'],
  ['a bad chunk size', 'more than twelve digits'],
  ['a bad chunk extension', 'quotes and names that RFC 9110 does not know'],
  ['a bad trailer', 'line ends of one character, and names without a colon'],
  ['too many interim responses', 'more than 10,000'],
];

/** Headers whose second value node:http treats otherwise: none of them matters here. */
const OTHERWISE =
  /^(__proto__|set-cookie|cookie|from|host|user-agent|referer|max-forwards|authorization|proxy-authorization)$/;

function checkAgainst(reference: Outcome, ours: Outcome): void {
  if (ours.kind === 'refused') {
    if (reference.kind === 'whole')
      assert.ok(
        STRICTER.some(([reason]) => reason === ours.reason),
        `node:http takes it, and it is refused: ${ours.reason}`,
      );
    return;
  }
  assert.ok(reference.kind === 'whole', 'node:http refuses it');
  assert.equal(ours.status, reference.status);
  assert.equal(ours.body, reference.body);
  for (const name in ours.headers) {
    const theirs: string | string[] | undefined = reference.headers[name];
    if (!OTHERWISE.test(name)) assert.equal(ours.headers[name], theirs, name);
  }
}

describe('a sound response', () => {
  test('is read whole, the same however it is split, and as node:http reads it', async () => {
    await fc.assert(
      fc.asyncProperty(responses, fc.infiniteStream(fc.nat(40)), async (made, sizes) => {
        const bytes = bytesOf(made.text);
        const whole = viaParser([bytes]);
        assert.ok(whole.kind === 'whole', whole.kind === 'refused' ? whole.reason : '');
        assert.deepEqual([whole.status, whole.body], [made.status, made.body]);
        assert.equal(whole.isClean, !made.endsByClose);
        checkAgainst(await viaNode(bytes), whole);
        const pieces: Buffer[] = [];
        for (let from = 0; from < bytes.length; ) {
          const size = 1 + Number(sizes.next().value);
          pieces.push(bytes.subarray(from, from + size));
          from += size;
        }
        assert.deepEqual(viaParser(pieces), whole);
        assert.deepEqual(viaParser([...bytes].map((byte) => Buffer.of(byte))), whole);
      }),
      { numRuns: IS_LONG ? 10_000 : 400 },
    );
  });

  test('is split in two at every byte, and cut at every byte: whole or refused', () => {
    fc.assert(
      fc.property(responses, (made) => {
        const bytes = bytesOf(made.text);
        const whole = viaParser([bytes]);
        for (let at = 0; at < bytes.length; at++) {
          assert.deepEqual(viaParser([bytes.subarray(0, at), bytes.subarray(at)]), whole);
          const cut = viaParser([bytes.subarray(0, at)]);
          if (made.endsByClose && cut.kind === 'whole') assert.ok(made.body.startsWith(cut.body));
          else assert.equal(cut.kind, 'refused', `cut after ${at} bytes`);
        }
      }),
      { numRuns: IS_LONG ? 2_000 : 150 },
    );
  });

  test('to HEAD ends with its head', async () => {
    await fc.assert(
      fc.asyncProperty(responses, async ({ head, text, status }) => {
        const whole = viaParser([bytesOf(head)], 'HEAD');
        assert.ok(whole.kind === 'whole');
        assert.deepEqual([whole.status, whole.body, whole.isClean], [status, '', true]);
        checkAgainst(await viaNode(bytesOf(head), 'HEAD'), whole);
        assert.equal(viaParser([bytesOf(text)], 'HEAD').isClean, text === head);
      }),
      { numRuns: IS_LONG ? 2_000 : 100 },
    );
  });

  test('with anything behind it is whole, and its connection is not used again', () => {
    const rubbish = fc.oneof(
      fc.string({ minLength: 1 }),
      responses.map(({ text }) => text),
    );
    fc.assert(
      fc.property(responses, rubbish, (made, more) => {
        fc.pre(!made.endsByClose);
        const whole = viaParser([bytesOf(made.text + more)]);
        assert.ok(whole.kind === 'whole');
        assert.deepEqual([whole.status, whole.body, whole.isClean], [made.status, made.body, false]);
      }),
      { numRuns: IS_LONG ? 10_000 : 300 },
    );
  });
});

test('a spoiled response is what node:http makes of it, or is refused by a named rule', {
  timeout: IS_LONG ? 600_000 : 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(spoiled, async (text) => {
      const bytes = bytesOf(text);
      const ours = viaParser([bytes]);
      checkAgainst(await viaNode(bytes), ours);
      const inBytes = viaParser([...bytes].map((byte) => Buffer.of(byte)));
      assert.equal(inBytes.kind, ours.kind);
      if (ours.kind === 'whole') assert.deepEqual({ ...inBytes, isClean: ours.isClean }, ours);
    }),
    { numRuns: IS_LONG ? 50_000 : 3_000 },
  );
});

const SAMPLES: readonly string[] = [
  'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n1\r\nx\r\n0\r\nT: r\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhi',
];

test('every byte replaced by each hostile one, and every hostile line in front: the same', async () => {
  for (const text of SAMPLES) {
    const lines = HOSTILE_LINES.map((line) => text.replace('\r\n', () => `\r\n${line}\r\n`));
    const replaced = [...text].flatMap((_, at) =>
      HOSTILE_BYTES.map((byte) => text.slice(0, at) + byte + text.slice(at + 1)),
    );
    for (const changed of [...lines, ...replaced]) {
      const bytes = bytesOf(changed);
      try {
        checkAgainst(await viaNode(bytes), viaParser([bytes]));
      } catch (error) {
        throw new Error(`of ${JSON.stringify(changed)}`, { cause: error });
      }
    }
  }
});

describe('a bound', () => {
  for (const [what, text, reason] of [
    ['a head', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(17_000)}`, 'a head that is too large'],
    [
      'a head with its end',
      `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(17_000)}\r\n\r\n`,
      'a head that is too large',
    ],
    ['interim responses', 'HTTP/1.1 102 X\r\n\r\n'.repeat(10_001), 'too many interim responses'],
    [
      'extensions of a chunk',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=${'b'.repeat(16_500)}`,
      'too many extensions or trailers',
    ],
    [
      'trailers',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(5_000)}`,
      'too many extensions or trailers',
    ],
  ] as const) {
    test(`of ${what}`, () => {
      const outcome = viaParser([bytesOf(text)]);
      assert.ok(outcome.kind === 'refused');
      assert.equal(outcome.reason, reason);
    });
  }

  test('what is no HTTP is refused at its first bytes', () => {
    for (const text of ['S', 'HTTQ', '\0', 'HTTP/2.0', 'HTTP/1.1 200 OK\n', '\r\nHTTP/1.1']) {
      const outcome = viaParser([bytesOf(text)]);
      assert.ok(outcome.kind === 'refused' && outcome.reason !== 'cut', text);
    }
  });
});
