import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAT_ANSWER, json } from '../helpers/fake-upstream.ts';
import { postForm, startOcr } from '../helpers/picture-server.ts';
import { type FormPart, pictureOf, sentPictures, sha256 } from '../helpers/pictures.ts';
import { expectStatus } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const MEBIBYTE = 1024 * 1024;
const PICTURE = pictureOf('image/png', 6 * MEBIBYTE);
const FILE: FormPart = ['file', PICTURE, { name: 'a.png', type: 'image/png' }];
const MODEL: FormPart = ['model', 'reader'];

for (const [order, parts] of [
  ['before', [FILE, MODEL]],
  ['after', [MODEL, FILE]],
] as const) {
  test(`B7: an image that comes ${order} \`model\` is held once, as base64, and counted as that`, {
    timeout: 20_000,
  }, async (t) => {
    const held: (() => void)[] = [];
    const { app, upstream } = await startOcr(t, (req, res, request) => {
      held.push(() => json(CHAT_ANSWER)(req, res, request));
    });
    const asked = postForm(app, parts);
    await until(() => held.length === 1, 'the request at the provider');
    const base64Bytes = Math.ceil(PICTURE.length / 3) * 4;
    const { usedBytes } = app.services.budget;
    assert.ok(usedBytes >= base64Bytes && usedBytes < base64Bytes + 128 * 1024, `${usedBytes} bytes`);
    for (const answer of held) answer();
    await expectStatus(200, await asked);
    assert.equal(app.services.budget.usedBytes, 0);
    assert.equal(sentPictures(upstream.received[0])[0]?.digest, sha256(PICTURE));
  });
}
