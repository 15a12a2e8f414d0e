import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePatterns } from '../../src/json/patterns.ts';
import { scanJson } from '../../src/json/scan.ts';
import { checkImageParts, IMAGE_PATTERNS } from '../../src/protocols/image-parts.ts';
import { errorOf } from '../helpers/picture-server.ts';
import { dataUrl, pictureOf } from '../helpers/pictures.ts';
import { startTwoProviders } from '../routes/two-providers.ts';

test('B3: other work runs between many small images', async () => {
  const url = dataUrl('image/png', pictureOf('image/png', 24_000));
  const content = Array.from({ length: 400 }, () => ({ type: 'image_url', image_url: { url } }));
  const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content }] }));
  let turns = 0;
  const patches = await checkImageParts(body, scanJson(body, compilePatterns(IMAGE_PATTERNS)), async () => {
    turns += 1;
  });
  assert.deepEqual(patches, []);
  assert.ok(turns >= 20, `${turns}`);
});

test('B3: a part with an image names its type once', async (t) => {
  const { app, one } = await startTwoProviders(t);
  const types = '"type":"image",'.repeat(50_000);
  const part = `{"image":"https://x.example/a.png",${types}"x":1}`;
  const body = `{"model":"meta-llama/Llama-3","messages":[{"role":"user","content":[${part}]}]}`;
  const error = await errorOf(400, await app.v1('chat/completions', body));
  assert.equal(error.code, 'image_validation_failed');
  assert.equal(one.received.length, 0);
});
