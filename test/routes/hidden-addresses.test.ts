import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProviderType } from '../../src/store/entities.ts';
import { type AppUnderTest, expectStatus, startApp } from '../helpers/start-app.ts';

/** Base URLs that lead to no connection, some of them from files of earlier programs; what of them is nobody's business. */
const ROWS: readonly (readonly [baseUrl: string, hidden: RegExp])[] = [
  ['https://owner:canary-password@secret-host.example/v1', /canary|owner|secret-host/],
  ['http://owner:canary-password@127.0.0.1:9/v1?key=canary', /canary|owner|127\.0/],
  ['http://169.254.169.254/latest', /169\.254|latest/],
  ['http://127.0.0.1:9/secret-path', /127\.0|secret-path/],
  ['http://localhost:9/secret-path', /localhost|secret-path/],
  ['http://secret-host.invalid/secret-path', /secret/],
  ['ftp://secret-host.example', /secret/],
];

/** One call of each kind: JSON, a form, one that is rewritten for Chutes, OCR. */
async function callAll(app: AppUnderTest, key: string): Promise<Response[]> {
  const headers = { authorization: `Bearer ${key}` };
  const audio = (): FormData => {
    const form = new FormData();
    form.append('model', 'm');
    form.append('file', new Blob([Buffer.alloc(5000, 1)], { type: 'audio/mpeg' }), 'a.mp3');
    return form;
  };
  const picture = { model: 'm', image_url: 'https://127.0.0.1/a.png' };
  return [
    await app.v1('chat/completions', { model: 'm', messages: [] }, key),
    await app.v1('chat/completions', { model: 'm', messages: [], stream: true }, key),
    await app.v1('embeddings', { model: 'm', input: 'x' }, key),
    await app.v1('ocr', picture, key),
    await fetch(`${app.origin}/v1/audio/transcriptions`, { method: 'POST', headers, body: audio() }),
  ];
}

for (const type of ['openai', 'chutes'] satisfies ProviderType[]) {
  test(`B10: an address that is refused is shown to no holder of a key, nor to the log (${type})`, async (t) => {
    const app = await startApp(t, { env: { BLOCK_PRIVATE_UPSTREAMS: 'true' } });
    const key = await app.addKey({});
    for (const [baseUrl, hidden] of ROWS) {
      await app.addProvider({ id: 'p', baseUrl, type, apiKey: 'provider-key' }, [{ id: 'm', vision: true }]);
      app.logs.length = 0;
      for (const answer of await callAll(app, key)) {
        const text = await answer.text();
        assert.equal(answer.status, 502, `${baseUrl}: ${text}`);
        assert.match(text, /provider p\b/, baseUrl);
        assert.doesNotMatch(text + JSON.stringify([...answer.headers]), hidden);
      }
      const test = await app.admin('POST', '/api/admin/providers/p/test');
      assert.doesNotMatch(JSON.stringify(await expectStatus(200, test)), /canary|owner/);
      // The requests themselves come from 127.0.0.1 and are logged by their path.
      assert.doesNotMatch(app.logs.join('\n'), /canary|owner|secret-host|169\.254/);
    }
  });
}
