import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import {
  createBoundary,
  encodeMultipart,
  MultipartReader,
  type OutgoingPart,
  parseBoundary,
  readField,
  relayMultipart,
} from '../../src/http/multipart.ts';

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* chunksOf(...chunks: (Buffer | string)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

describe('createBoundary()', () => {
  it('makes a legal boundary of 128 random bits', () => {
    const boundary = createBoundary(() => Buffer.alloc(16, 0xab));
    assert.equal(boundary, `----ipin-${'ab'.repeat(16)}`);
    assert.equal(parseBoundary(`multipart/form-data; boundary=${boundary}`), boundary);
    assert.notEqual(createBoundary(randomBytes), createBoundary(randomBytes));
  });
});

describe('encodeMultipart()', () => {
  it('writes fields and files, and knows the length', async () => {
    const message = encodeMultipart(
      [
        { name: 'model', body: 'whisper-1' },
        {
          name: 'file',
          filename: 'a.mp3',
          contentType: 'audio/mpeg',
          body: chunksOf('ab', 'c'),
          sizeBytes: 3,
        },
        { name: 'mask', filename: 'm', body: Buffer.from([0, 255]) },
      ],
      'B',
    );
    const bytes = await collect(message.chunks);
    assert.equal(message.contentType, 'multipart/form-data; boundary=B');
    assert.equal(message.contentLength, bytes.length);
    assert.equal(
      bytes.toString('latin1'),
      '--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n' +
        '--B\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\nContent-Type: audio/mpeg\r\n\r\nabc\r\n' +
        '--B\r\nContent-Disposition: form-data; name="mask"; filename="m"\r\nContent-Type: application/octet-stream\r\n\r\n\0\xff\r\n' +
        '--B--\r\n',
    );
  });

  it('does not know the length where a part does not', () => {
    assert.equal(encodeMultipart([{ name: 'file', body: chunksOf('a') }], 'B').contentLength, null);
  });

  for (const [sizeBytes, content] of [
    [2, 'abc'],
    [4, 'abc'],
    [0, 'a'],
  ] as const) {
    it(`breaks off where ${sizeBytes} bytes were announced and ${content.length} come`, async () => {
      const message = encodeMultipart([{ name: 'file', body: chunksOf(content), sizeBytes }], 'B');
      await assert.rejects(collect(message.chunks), /length/);
    });
  }

  it('escapes names so that nothing can be injected', async () => {
    const evil = 'a"\r\nX-Evil: 1\r\n\r\n--B--\u0000\u007f';
    const message = encodeMultipart([{ name: evil, filename: evil, body: 'x' }], 'B');
    const bytes = await collect(message.chunks);
    assert.equal(bytes.length, message.contentLength);
    const written = 'a%22%0D%0AX-Evil: 1%0D%0A%0D%0A--B--%00%7F';
    assert.ok(bytes.includes(`form-data; name="${written}"; filename="${written}"\r\nContent-Type: `));
    assert.throws(
      () => encodeMultipart([{ name: 'a', contentType: 'a/b\r\nX: y', body: '' }], 'B'),
      TypeError,
    );
  });

  it('is read back by fetch, and reads what fetch writes', async () => {
    const names = ['a', 'ü"\r\n;=', 'x[]', 'x[]', '__proto__'];
    const parts: OutgoingPart[] = names.map((name, at) => ({
      name,
      filename: at % 2 === 0 ? null : `${name}.txt`,
      body: `v${at}`,
    }));
    const { chunks, contentType } = encodeMultipart(parts, createBoundary(randomBytes));
    const form = await new Response(await collect(chunks), {
      headers: { 'content-type': contentType },
    }).formData();
    assert.deepEqual([...form.keys()], names);
    const answer = new Response(form);
    const boundary = parseBoundary(answer.headers.get('content-type') ?? '');
    const read: string[] = [];
    for await (const part of new MultipartReader(
      chunksOf(Buffer.from(await answer.arrayBuffer())),
      boundary,
    )) {
      read.push(`${part.name}|${part.filename}|${await readField(part, 100)}`);
    }
    assert.deepEqual(
      read,
      names.map((name, at) => `${name}|${at % 2 === 0 ? null : `${name}.txt`}|v${at}`),
    );
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

  it('refuses a field over its limit', async () => {
    const body = Buffer.concat([part('name="prompt"', 'x'.repeat(101)), Buffer.from('--client--')]);
    await assert.rejects(
      collect(relayMultipart(new MultipartReader(chunksOf(body), boundary), options)),
      HttpError,
    );
  });
});
