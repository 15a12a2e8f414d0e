import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { fieldText, type MultipartOptions, MultipartReader, readField } from '../../src/http/multipart.ts';
import { fieldBaseName, parseBoundary } from '../../src/http/multipart-headers.ts';
import { chunksOf } from '../helpers/chunks.ts';

const BOUNDARY = 'AaB03x';

interface Read {
  name: string;
  filename: string | null;
  contentType: string | null;
  value: string;
}

async function readAll(source: AsyncIterable<Buffer>, options: MultipartOptions = {}): Promise<Read[]> {
  const parts: Read[] = [];
  for await (const part of new MultipartReader(source, BOUNDARY, options)) {
    const value = (await readField(part, 1e9)).toString('latin1');
    parts.push({ name: part.name, filename: part.filename, contentType: part.contentType, value });
  }
  return parts;
}

/** A body of one part with the given Content-Disposition parameters. */
function bodyWith(disposition: string, value = 'v'): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data${disposition}\r\n\r\n${value}\r\n--${BOUNDARY}--\r\n`;
}

function httpError(code: string, param: string | null = null): (error: unknown) => boolean {
  return (error) => error instanceof HttpError && error.error.code === code && error.error.param === param;
}

describe('parseBoundary()', () => {
  const legal: [string, string][] = [
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;BOUNDARY="a b:c"', 'a b:c'],
    ['multipart/form-data; charset=utf-8; boundary=----=_Part_1.2', '----=_Part_1.2'],
    ['multipart/form-data; boundary=x; charset=utf-8', 'x'],
    [`multipart/form-data; boundary=${'b'.repeat(70)}`, 'b'.repeat(70)],
    ['multipart/form-data;; boundary="a\\"b"'.replace('\\"', ''), 'ab'],
  ];
  for (const [header, boundary] of legal) {
    it(`reads ${header}`, () => assert.equal(parseBoundary(header), boundary));
  }
  const refused: [string | undefined, string][] = [
    [undefined, 'unsupported_content_type'],
    ['application/json', 'unsupported_content_type'],
    ['multipart/mixed; boundary=a', 'unsupported_content_type'],
    ['multipart/form-data', 'invalid_body'],
    ['multipart/form-data; boundary=', 'invalid_body'],
    ['multipart/form-data; boundary=""', 'invalid_body'],
    ['multipart/form-data; boundary="a', 'invalid_body'],
    ['multipart/form-data; boundary="a "', 'invalid_body'],
    ['multipart/form-data; boundary=a; boundary=b', 'invalid_body'],
    ['multipart/form-data; boundary="a"b', 'invalid_body'],
    ['multipart/form-data; boundary=a\u00e9', 'invalid_body'],
    ['multipart/form-data; boundary="a\r\nb"', 'invalid_body'],
    [`multipart/form-data; boundary=${'b'.repeat(71)}`, 'invalid_body'],
    [`multipart/form-data${';'.repeat(20_000)}`, 'invalid_body'],
  ];
  for (const [header, code] of refused) {
    it(`refuses ${header?.slice(0, 60)}`, () => assert.throws(() => parseBoundary(header), httpError(code)));
  }
});

describe('fieldBaseName()', () => {
  for (const [name, base] of [
    ['x', 'x'],
    ['x[]', 'x'],
    ['x[0]', 'x'],
    ['x[y]', 'x[y]'],
    ['[]', '[]'],
    ['__proto__[]', '__proto__'],
  ] as const) {
    it(`takes ${name} for ${base}`, () => assert.equal(fieldBaseName(name), base));
  }
});

describe('MultipartReader names', () => {
  const cases: [string, string, string | null][] = [
    ['; name="a"', 'a', null],
    ['; name=a', 'a', null],
    [' ; NAME = "a" ; FileName = "b.mp3" ;', 'a', 'b.mp3'],
    ['; filename="b.mp3"; name="a"', 'a', 'b.mp3'],
    ['; name="a"; filename=""', 'a', ''],
    ['; name="a"; filename=my file.mp3', 'a', 'my file.mp3'],
    ['; name="a"; filename="x%22y%0D%0Az.mp3"', 'a', 'x"y\r\nz.mp3'],
    ['; name="a"; filename="x\\"y.mp3"', 'a', 'x"y.mp3'],
    ['; name="a"; filename="x;y=z.mp3"', 'a', 'x;y=z.mp3'],
    ['; name="a"; filename="C:\\temp\\nice.mp3"', 'a', 'nice.mp3'],
    ['; name="a"; filename="../../etc/passwd"', 'a', 'passwd'],
    ['; name="a"; filename=".."', 'a', ''],
    ['; name="a"; filename="e.mp3"; filename*=UTF-8\'\'%e2%82%ac%20rates.mp3', 'a', '€ rates.mp3'],
    ['; name="a"; filename*=iso-8859-1\'en\'%A3.mp3', 'a', '£.mp3'],
    ['; name="a"; filename*=UTF-8\'\'..%2F..%2Fx.mp3', 'a', 'x.mp3'],
    ['; name="größe"; filename="übung.mp3"', 'größe', 'übung.mp3'],
    ['; name="__proto__"', '__proto__', null],
    ['; name="constructor"; filename="toString"', 'constructor', 'toString'],
  ];
  for (const [disposition, name, filename] of cases) {
    it(`reads form-data${disposition}`, async () => {
      const [part] = await readAll(chunksOf(bodyWith(disposition)));
      assert.deepEqual(part, { name, filename, contentType: null, value: 'v' });
    });
  }

  it('reads bytes that are not UTF-8 as ISO-8859-1', async () => {
    const [part] = await readAll(chunksOf(Buffer.from(bodyWith('; name="caf\u00e9"'), 'latin1')));
    assert.equal(part?.name, 'caf\u00e9');
  });

  const refused = [
    '',
    '; name=""',
    '; name=',
    '; filename="x"',
    '; name="a"; name="b"',
    '; name="a"; filename="b"; filename="c"',
    '; name="a',
    '; name="a"b',
    '; name="a"; x',
    "; name*=UTF-8''a",
    '; name="a"; filename*=UTF-8\'\'%ff',
    '; name="a"; filename*=UTF-8\'\'%zz',
    '; name="a"; filename*=UTF-8\'\'%0d%0aX-Evil:%201',
    '; name="a"; filename*=koi8-r\'\'x',
    '; name="a\u0000"',
    '; name="a\nb"',
    '; name="a"\r\nContent-Disposition: form-data; name="b"',
    '; name="a"\r\nContent-Type: text/plain\r\nContent-Type: text/html',
    '; name="a"\r\nContent-Transfer-Encoding: base64',
    '; name="a"\r\n folded: 1',
    '; name="a"\r\nno colon',
    '; name="a"\r\nbad name: x',
    '; name="a"\nX: lf only',
  ];
  for (const disposition of refused) {
    it(`refuses form-data${JSON.stringify(disposition)}`, async () => {
      await assert.rejects(readAll(chunksOf(bodyWith(disposition))), httpError('invalid_body'));
    });
  }

  it('refuses a part without headers, and one that is not form-data', async () => {
    const bare = `--${BOUNDARY}\r\n\r\nv\r\n--${BOUNDARY}--`;
    await assert.rejects(readAll(chunksOf(bare)), httpError('invalid_body'));
    const attachment = bodyWith('; name="a"').replace('form-data', 'attachment');
    await assert.rejects(readAll(chunksOf(attachment)), httpError('invalid_body'));
  });

  it('reads headers in any letter case and with spaces, and lets others be', async () => {
    const body = bodyWith('; name="a"\r\nCONTENT-type:  audio/mpeg \r\nx-y: 1\r\nX-Y: 2');
    for await (const part of new MultipartReader(chunksOf(body), BOUNDARY)) {
      assert.equal(part.contentType, 'audio/mpeg');
    }
  });
});

describe('MultipartReader framing', () => {
  const field = (name: string, value: string): string =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const end = `--${BOUNDARY}--`;
  const accepted: [string, string, string[]][] = [
    ['no parts', end, []],
    ['empty content', `${field('a', '')}${end}`, ['']],
    ['content without its own line end', field('a', '').replace(/\r\n$/, '') + end, ['']],
    [
      'line ends and dashes in content',
      `${field('a', '\r\n--AaB03\r\n--\r\n\r\n')}${end}`,
      ['\r\n--AaB03\r\n--\r\n\r\n'],
    ],
    ['bare line ends in content', `${field('a', '\n\r\r\n')}${end}`, ['\n\r\r\n']],
    ['the boundary inside a line', `${field('a', `x--${BOUNDARY}`)}${end}`, [`x--${BOUNDARY}`]],
    ['a preamble', `This is MIME.\r\n${field('a', '1')}${end}`, ['1']],
    ['an epilogue', `${field('a', '1')}${end}\r\nbye\r\n--${BOUNDARY}\r\n`, ['1']],
    ['padding behind a boundary', `${field('a', '1').replace('03x', '03x \t ')}${end} \r\n`, ['1']],
    [
      'fields on both sides of a file',
      `${field('a', '1')}${field('f"; filename="x', '2')}${field('b', '3')}${end}`,
      ['1', '2', '3'],
    ],
  ];
  for (const [what, body, values] of accepted) {
    it(`reads ${what}, in one chunk and in single bytes`, async () => {
      const whole = await readAll(chunksOf(body));
      assert.deepEqual(
        whole.map((part) => part.value),
        values,
      );
      assert.deepEqual(await readAll(chunksOf(...[...body])), whole);
    });
  }

  const refused: [string, string][] = [
    ['an empty body', ''],
    ['a body that is something else', 'hello'],
    ['a missing closing boundary', field('a', '1')],
    ['an end inside of headers', `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n`],
    ['an end behind a boundary', `--${BOUNDARY}`],
    ['one dash at the end', `${field('a', '1')}--${BOUNDARY}-`],
    ['only line feeds', `${field('a', '1')}${end}`.replaceAll('\r\n', '\n')],
    ['a line feed behind a boundary', `${field('a', '1').replace('\r\n', '\n')}${end}`],
    ['text behind a boundary', `${field('a', '1').replace('03x', '03xyz')}${end}`],
    ['text behind a boundary within content', `${field('a', `1\r\n--${BOUNDARY}9\r\n`)}${end}`],
    ['endless padding', `--${BOUNDARY}${' '.repeat(1000)}\r\n`],
    ['another boundary', `${field('a', '1')}${end}`.replaceAll(BOUNDARY, 'other')],
  ];
  for (const [what, body] of refused) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(readAll(chunksOf(body)), httpError('invalid_body'));
      await assert.rejects(readAll(chunksOf(...[...body])), httpError('invalid_body'));
    });
  }

  it('skips what is not read of a part, and of a part that is left early', async () => {
    const body = `${field('a', 'x'.repeat(100_000))}${field('b', 'y'.repeat(100_000))}${field('c', '3')}${end}`;
    const names: string[] = [];
    for await (const part of new MultipartReader(
      chunksOf(body.slice(0, 70_000), body.slice(70_000)),
      BOUNDARY,
    )) {
      names.push(part.name);
      if (part.name === 'b') for await (const _ of part.body) break;
      if (part.name === 'c') assert.equal(fieldText('c', await readField(part, 10)), '3');
    }
    assert.deepEqual(names, ['a', 'b', 'c']);
  });

  it('gives nothing of a part once the next one was asked for', async () => {
    const parts = new MultipartReader(chunksOf(`${field('a', '1')}${field('b', '2')}${end}`), BOUNDARY)[
      Symbol.asyncIterator
    ]();
    const first = await parts.next();
    await parts.next();
    assert.equal(first.done, false);
    if (first.done === false) assert.equal((await readField(first.value, 10)).length, 0);
  });

  it('passes on the error of its source and never ends the source itself', async () => {
    let ended = false;
    async function* broken(): AsyncGenerator<Buffer> {
      try {
        yield Buffer.from(field('a', '1'));
        throw new Error('connection lost');
      } finally {
        ended = true;
      }
    }
    await assert.rejects(readAll(broken()), /connection lost/);
    ended = false;
    for await (const _ of new MultipartReader(broken(), BOUNDARY)) break;
    assert.equal(ended, false);
  });
});

describe('MultipartReader limits', () => {
  const file = (size: number): string => bodyWith('; name="file"; filename="a.mp3"', 'x'.repeat(size));
  const cases: [string, (over: 0 | 1) => string, MultipartOptions, string, string | null][] = [
    ['file size', (over) => file(1000 + over), { limits: { fileBytes: 1000 } }, 'file_too_large', 'file'],
    [
      'field size',
      (over) => bodyWith('; name="a"', 'x'.repeat(9 + over)),
      { limits: { fieldBytes: 9 } },
      'request_too_large',
      'a',
    ],
    [
      'file without a file name',
      (over) => bodyWith('; name="file[]"', 'x'.repeat(99 + over)),
      { limits: { fieldBytes: 5, fileBytes: 99 }, fileFields: new Set(['file']) },
      'file_too_large',
      'file[]',
    ],
    [
      'whole body',
      (over) => file(1000) + 'e'.repeat(over),
      { limits: { totalBytes: file(1000).length } },
      'request_too_large',
      null,
    ],
    [
      'preamble',
      (over) => `${'p'.repeat(98 + over)}\r\n${file(1)}`,
      { limits: { outsideBytes: 98 } },
      'invalid_body',
      null,
    ],
    [
      'epilogue',
      (over) => file(1) + 'e'.repeat(96 + over),
      { limits: { outsideBytes: 98 } },
      'invalid_body',
      null,
    ],
    [
      'header block',
      (over) => bodyWith(`; name="a"\r\nX: ${'h'.repeat(57 + over)}`),
      { limits: { headerBytes: 102 } },
      'invalid_body',
      null,
    ],
    [
      'number of parts',
      (over) =>
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n`.repeat(10 + over) +
        `--${BOUNDARY}--`,
      { limits: { parts: 10 } },
      'invalid_body',
      null,
    ],
  ];
  for (const [what, bodyOf, options, code, param] of cases) {
    it(`holds the exact limit of the ${what}`, async () => {
      await readAll(chunksOf(bodyOf(0)), options);
      await readAll(chunksOf(...[...bodyOf(0)]), options);
      await assert.rejects(readAll(chunksOf(bodyOf(1)), options), httpError(code, param));
      await assert.rejects(readAll(chunksOf(...[...bodyOf(1)]), options), httpError(code, param));
    });
  }

  it('holds the limit for content that nobody reads, and takes the error of the caller', async () => {
    const options: MultipartOptions = {
      limits: { fileBytes: 10 },
      fileTooLarge: (field) => new Error(`big ${field}`),
    };
    await assert.rejects(async () => {
      for await (const _ of new MultipartReader(chunksOf(file(11)), BOUNDARY, options));
    }, /^Error: big file$/);
  });

  it('refuses 10 000 parts, a header of 1 MB and an unreadable field', async () => {
    const many = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n`.repeat(10_000);
    await assert.rejects(readAll(chunksOf(many)), httpError('invalid_body'));
    await assert.rejects(
      readAll(chunksOf(bodyWith(`; name="${'n'.repeat(1e6)}"`))),
      httpError('invalid_body'),
    );
    assert.throws(() => fieldText('a', Buffer.from([0xff])), httpError('invalid_body', 'a'));
  });

  it('never holds more than a chunk and a boundary', async () => {
    const piece = Buffer.alloc(65_536, '\r');
    const head = bodyWith('; name="f"; filename="f"', '').split('\r\n--').slice(0, 1).join('');
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${head}`);
      for (let count = 0; count < 100; count++) yield piece;
      yield Buffer.from(`\r\n--${BOUNDARY}--`);
    }
    let pulled = 0;
    let got = 0;
    const counted = (async function* () {
      for await (const chunk of source()) {
        pulled += chunk.length;
        yield chunk;
      }
    })();
    for await (const part of new MultipartReader(counted, BOUNDARY)) {
      for await (const chunk of part.body) {
        got += chunk.length;
        assert.ok(pulled - got <= piece.length + head.length + BOUNDARY.length + 4, `${pulled} - ${got}`);
      }
    }
    assert.equal(got, 100 * piece.length);
  });
});
