import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { type MultipartPart, MultipartReader, readField } from '../../src/http/multipart.ts';
import { parseBoundary } from '../../src/http/multipart-headers.ts';
import { createBoundary, multipartContentType, relayMultipart } from '../../src/http/multipart-writer.ts';
import { chunksOf, collect } from '../helpers/chunks.ts';

describe('createBoundary()', () => {
  it('makes a legal boundary of 128 random bits', () => {
    const boundary = createBoundary(() => Buffer.alloc(16, 0xab));
    assert.equal(boundary, `----ipin-${'ab'.repeat(16)}`);
    assert.equal(parseBoundary(`multipart/form-data; boundary=${boundary}`), boundary);
    assert.notEqual(createBoundary(randomBytes), createBoundary(randomBytes));
  });
});

describe('relayMultipart()', () => {
  const boundary = 'client';
  const content = Buffer.from([...Array(70_000).keys()].map((at) => (at * 7) % 256));
  const part = (disposition: string, value: Buffer | string): Buffer =>
    Buffer.concat([
      Buffer.from(`--client\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ]);
  const options = { boundary: 'ours', replace: new Map([['model', 'up/stream']]), fieldLimitBytes: 100 };

  it('replaces the model only, keeps order, and file bytes to the last one', async () => {
    const body = Buffer.concat([
      part('name="language"', 'en'),
      part('name="file"; filename="a\\"b.mp3"\r\nContent-Type: audio/mpeg\r\nX-Other: 1', content),
      part('name="model"', 'alias'),
      part('name="empty"', ''),
      part('name="chunking"\r\nContent-Type: application/json', '{"a":"\u00e9"}'),
      Buffer.from('--client--'),
    ]);
    const sent = await collect(relayMultipart(new MultipartReader(chunksOf(body), boundary), options));
    const expected = Buffer.concat([
      part('name="language"', 'en'),
      part('name="file"; filename="a%22b.mp3"\r\nContent-Type: audio/mpeg', content),
      part('name="model"', 'up/stream'),
      part('name="empty"', ''),
      part('name="chunking"\r\nContent-Type: application/json', '{"a":"\u00e9"}'),
      Buffer.from('--client--\r\n'),
    ]);
    assert.equal(sent.toString('latin1').replaceAll('--ours', '--client'), expected.toString('latin1'));
  });

  it('breaks off before the closing boundary where the body is wrong', async () => {
    const sent: Buffer[] = [];
    const body = Buffer.concat([part('name="file"; filename="a"', content), Buffer.from('--client\n')]);
    await assert.rejects(async () => {
      for await (const chunk of relayMultipart(new MultipartReader(chunksOf(body), boundary), options))
        sent.push(chunk);
    }, HttpError);
    assert.ok(!Buffer.concat(sent).includes('--ours--'));
  });

  /** Writes parts that did not come from a reader: name and file name. */
  const write = (
    parts: readonly (readonly [string, string | null])[],
    fields: Partial<MultipartPart> = {},
  ) => {
    const unread = async function* (): AsyncGenerator<MultipartPart> {
      for (const [at, [name, filename]] of parts.entries()) {
        const body = chunksOf(`v${at}`);
        yield { name, filename, contentType: null, isFile: filename !== null, body, ...fields };
      }
    };
    return collect(relayMultipart(unread(), options));
  };

  it('gives a file without a type that of bytes', async () => {
    const head = 'Content-Disposition: form-data; name="mask"; filename="m"';
    const written = `--ours\r\n${head}\r\nContent-Type: application/octet-stream\r\n\r\nv0\r\n--ours--\r\n`;
    assert.equal((await write([['mask', 'm']])).toString(), written);
  });

  it('escapes names so that nothing can be injected, and takes no type with a line end', async () => {
    const evil = 'a"\r\nX-Evil: 1\r\n\r\n--B--\u0000\u007f';
    const escaped = 'a%22%0D%0AX-Evil: 1%0D%0A%0D%0A--B--%00%7F';
    const bytes = await write([[evil, evil]]);
    assert.ok(bytes.includes(`form-data; name="${escaped}"; filename="${escaped}"\r\nContent-Type: `));
    await assert.rejects(write([['a', null]], { contentType: 'a/b\r\nX: y' }), TypeError);
  });

  it('is read back by fetch, and reads what fetch writes', async () => {
    const names = ['a', 'ü"\r\n;=', 'x[]', 'x[]', '__proto__'];
    const filenames = names.map((name, at) => (at % 2 === 0 ? null : `${name}.txt`));
    const bytes = await write(names.map((name, at) => [name, filenames[at] ?? null]));
    const headers = { 'content-type': multipartContentType(options.boundary) };
    const form = await new Response(bytes, { headers }).formData();
    assert.deepEqual([...form.keys()], names);
    const answer = new Response(form);
    const source = chunksOf(Buffer.from(await answer.arrayBuffer()));
    const read: string[] = [];
    const theirs = parseBoundary(answer.headers.get('content-type') ?? '');
    for await (const part of new MultipartReader(source, theirs)) {
      read.push(`${part.name}|${part.filename}|${await readField(part, 100)}`);
    }
    assert.deepEqual(
      read,
      names.map((name, at) => `${name}|${filenames[at]}|v${at}`),
    );
  });

  it('refuses a field over its limit', async () => {
    const body = Buffer.concat([part('name="prompt"', 'x'.repeat(101)), Buffer.from('--client--')]);
    await assert.rejects(
      collect(relayMultipart(new MultipartReader(chunksOf(body), boundary), options)),
      (error) => error instanceof HttpError && error.error.code === 'request_too_large',
    );
  });
});
