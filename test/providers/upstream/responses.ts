import fc from 'fast-check';

export interface MadeResponse {
  /** In Latin-1. */
  readonly text: string;
  /** The same without the body. */
  readonly head: string;
  readonly status: number;
  readonly body: string;
  /** The end of the connection ends the body. */
  readonly endsByClose: boolean;
}

const HEADERS = [
  'Content-Type: application/json',
  'X-Request-Id:  a b \t',
  'server:',
  'vary: \xe9, x',
  'Vary: y',
];
const CONNECTIONS = ['Connection: keep-alive', 'Connection: close', 'connection: Keep-Alive, x'];
const INTERIMS = ['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'];
const EXTENSIONS = ['', ';a=b', ';name="a \x20b";c', ';q="a;\\"b\xe9\\\\"'];
const TRAILERS = ['', 'X-Sum: 1\r\n', 'a: \r\nb:c\r\n'];
const BODY_TEXTS = [
  '',
  'x',
  '{"a":1}',
  '\r\n\r\n',
  '0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad',
  '\xff\0',
];

const bodies = fc.array(fc.constantFrom(...BODY_TEXTS), { maxLength: 4 });

/** A sound response, with each kind of framing. */
export const responses: fc.Arbitrary<MadeResponse> = fc
  .record({
    interims: fc.array(fc.constantFrom(...INTERIMS), { maxLength: 2 }),
    version: fc.constantFrom('1.1', '1.1', '1.0'),
    status: fc.constantFrom(200, 200, 201, 204, 304, 400, 404, 429, 500, 599),
    reason: fc.constantFrom('', ' ', ' OK', ' Not \xe4 word'),
    headers: fc.array(fc.constantFrom(...HEADERS, ...CONNECTIONS), { maxLength: 4 }),
    framing: fc.constantFrom('length', 'chunks', 'close'),
    pieces: bodies,
    extension: fc.constantFrom(...EXTENSIONS),
    trailers: fc.constantFrom(...TRAILERS),
    isUpper: fc.boolean(),
  })
  .map(({ interims, version, status, reason, headers, framing, pieces, extension, trailers, isUpper }) => {
    const isBodiless = status === 204 || status === 304;
    const isChunked = framing === 'chunks' && version === '1.1' && !isBodiless;
    const body = isBodiless ? '' : pieces.join('');
    const own = isChunked
      ? ['Transfer-Encoding: chunked']
      : framing === 'length' && !isBodiless
        ? [`Content-Length: ${body.length}`]
        : [];
    const sizeOf = (text: string): string => {
      const size = text.length.toString(16);
      return isUpper ? size.toUpperCase() : size;
    };
    const chunks = pieces
      .filter((piece) => piece !== '')
      .map((piece) => `${sizeOf(piece)}${extension}\r\n${piece}\r\n`);
    const sent = isChunked ? `${chunks.join('')}0${extension}\r\n${trailers}\r\n` : body;
    const head = [`HTTP/${version} ${status}${reason}`, ...headers, ...own].join('\r\n');
    const heads = `${interims.join('')}${head}\r\n\r\n`;
    return {
      text: heads + sent,
      head: heads,
      status,
      body,
      endsByClose: own.length === 0 && !isBodiless,
    };
  });

export const HOSTILE_LINES = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Content-Length: 3',
  'Content-Length: +3',
  'Content-Length: 0x3',
  'Content-Length: 3, 3',
  'Content-Length: ',
  'Content-Length: 99999999999999999999',
  ' folded: line',
  '\tfolded',
  'Content-Length : 3',
  ': no name',
  'no colon',
  'X-Nul: a\0b',
  'X-Cr: a\rb',
  'X-Lf: a\nContent-Length: 1',
  'X-Del: \x7f',
  'Upgrade: h2c',
  'Connection: upgrade',
  '__proto__: x',
];
export const HOSTILE_BYTES = [
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  '=',
  '"',
  ',',
  '0',
  '9',
  'f',
  'g',
  '\x7f',
  '\xff',
];
const HOSTILE_TEXTS = [
  '\r\n',
  '\r\n\r\n',
  '5\r\n',
  '0\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  '-1',
  '00000000000000000',
];

type Mutation = (text: string) => string;

function at(text: string, place: number): number {
  return Math.floor(place * text.length);
}

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constantFrom(...HOSTILE_LINES).map((line): Mutation => {
    return (text) => text.replace('\r\n', () => `\r\n${line}\r\n`);
  }),
  fc.tuple(place, fc.constantFrom(...HOSTILE_BYTES, ...HOSTILE_TEXTS)).map(([where, insert]): Mutation => {
    return (text) => text.slice(0, at(text, where)) + insert + text.slice(at(text, where));
  }),
  fc.tuple(place, fc.constantFrom(...HOSTILE_BYTES)).map(([where, byte]): Mutation => {
    return (text) => text.slice(0, at(text, where)) + byte + text.slice(at(text, where) + 1);
  }),
  fc.tuple(place, fc.nat(3)).map(([where, length]): Mutation => {
    return (text) => text.slice(0, at(text, where)) + text.slice(at(text, where) + length);
  }),
  fc.tuple(place, place).map(([from, to]): Mutation => {
    return (text) => text.slice(0, at(text, to)) + text.slice(at(text, from));
  }),
  place.map(
    (where): Mutation =>
      (text) =>
        text.slice(0, at(text, where)),
  ),
);

/** A response that was spoiled in one to three places; it may still be sound. */
export const spoiled: fc.Arbitrary<string> = fc
  .tuple(responses, fc.array(mutations, { minLength: 1, maxLength: 3 }))
  .map(([{ text }, changes]) => changes.reduce((changed, change) => change(changed), text));
