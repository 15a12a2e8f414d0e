import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readForm } from '../../src/demo/form.ts';

async function encode(fields: readonly (readonly [string, string | Blob])[]): Promise<[Buffer, string]> {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  const response = new Response(form);
  return [Buffer.from(await response.arrayBuffer()), response.headers.get('content-type') ?? ''];
}

test('readForm() gives fields their JSON types and makes lists of repeated and bracketed names', async () => {
  const fields = [
    ['model', 'demo-image'],
    ['n', '2'],
    ['stream', 'true'],
    ['prompt', '42'],
    ['timestamp_granularities[]', 'word'],
    ['include', 'a'],
    ['include', 'b'],
    ['image[]', new Blob(['first'])],
    ['image[]', new Blob(['second'])],
  ] as const;
  const form = await readForm(...(await encode(fields)));
  assert.deepEqual(form.fields, {
    model: 'demo-image',
    n: 2,
    stream: true,
    prompt: '42',
    timestamp_granularities: ['word'],
    include: ['a', 'b'],
  });
  assert.deepEqual(
    form.files.map((file) => [file.field, file.bytes.toString()]),
    [
      ['image', 'first'],
      ['image', 'second'],
    ],
  );
});

test('readForm() refuses what is no form, and a form that is cut', async () => {
  const [body, contentType] = await encode([['model', 'demo-image']]);
  await assert.rejects(readForm(body, 'application/json'), { name: 'HttpError', status: 415 });
  await assert.rejects(readForm(body.subarray(0, -10), contentType), { name: 'HttpError', status: 400 });
});
