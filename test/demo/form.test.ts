import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readForm } from '../../src/demo/form.ts';

async function encode(fields: readonly (readonly [string, string | Blob])[]): Promise<[Buffer, string]> {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  const response = new Response(form);
  return [Buffer.from(await response.arrayBuffer()), response.headers.get('content-type') ?? ''];
}

test('readForm() makes lists of repeated and bracketed names, and a boolean of stream', async () => {
  const fields = [
    ['model', 'demo-whisper'],
    ['stream', 'true'],
    ['prompt', '42'],
    ['timestamp_granularities[]', 'word'],
    ['include', 'a'],
    ['include', 'b'],
    ['file', new Blob(['audio'])],
    ['image[]', new Blob(['skipped'])],
  ] as const;
  const form = await readForm(...(await encode(fields)));
  assert.deepEqual(form.fields, {
    model: 'demo-whisper',
    stream: true,
    prompt: '42',
    timestamp_granularities: ['word'],
    include: ['a', 'b'],
  });
  assert.equal(form.file?.toString(), 'audio');
});

test('readForm() refuses what is no form, and a form that is cut', async () => {
  const [body, contentType] = await encode([['model', 'demo-image']]);
  await assert.rejects(readForm(body, 'application/json'), { name: 'HttpError', status: 415 });
  await assert.rejects(readForm(body.subarray(0, -10), contentType), { name: 'HttpError', status: 400 });
});
