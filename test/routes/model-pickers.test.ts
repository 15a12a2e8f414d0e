import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answering, errorOf, postForm, startOcr } from '../helpers/picture-server.ts';
import type { FormPart } from '../helpers/pictures.ts';
import { pictureOf } from '../helpers/pictures.ts';
import { fileOf, postAudio, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { expectStatus } from '../helpers/start-app.ts';
import { startTwoProviders } from './two-providers.ts';

const FILE = fileOf(speechOf(5_000));
const MODEL: FormPart = ['model', 'whisper'];

describe('a key with restricted models', { timeout: 30_000 }, () => {
  const members = [
    '"models":["model-2"]',
    '"fallbacks":["model-2"]',
    '"fallback_models":["model-2"]',
    '"context_window_fallback_dict":{"model-1":"model-2"}',
    '"route":"fallback"',
    '"preset":"mine"',
    '"plugins":[{"id":"fusion"}]',
    '"extra_body":{"model":"model-2"}',
    '"deployment_id":"model-2"',
    '"tools":[{"type":"function"},{"type":"image_generation","model":"model-2"}]',
    '"tools":[{"type":"image_generation","Model":"model-2"}]',
    '"Tools":[{"type":"image_generation","model":"model-2"}]',
    '"Fallback_Models":["model-2"]',
    '"pre\\u0073et":"mine"',
    '"presets":1,"pre\u017fet":"mine"',
  ];
  for (const member of members) {
    test(`B9: may not send ${member}, in chats and images to be read`, async (t) => {
      const { app, one, two } = await startTwoProviders(t);
      const key = await app.addKey({ models: ['model-1'] });
      for (const path of ['chat/completions', 'responses', 'embeddings', 'ocr']) {
        const body = `{"model":"model-1",${member},"image_url":"https://x.example/a.png","messages":[]}`;
        const error = await errorOf(400, await app.v1(path, body, key));
        assert.equal(error.code, 'invalid_body', path);
        assert.match(String(error.message), /restricted to certain models/);
      }
      assert.deepEqual([one.received.length, two.received.length], [0, 0]);
      const body = `{"model":"model-1",${member},"messages":[]}`;
      await expectStatus(200, await app.v1('chat/completions', body));
    });
  }

  test('B9: may not send them in the query either, in which others may send anything', async (t) => {
    const { app, one, two } = await startTwoProviders(t);
    const key = await app.addKey({ models: ['model-1'] });
    for (const query of [
      'model=model-2',
      'x=1&MODELS[]=model-2',
      'deployment_id=model-2',
      '%6Dodel=model-2',
    ]) {
      for (const path of ['chat/completions', 'embeddings']) {
        const body = { model: 'model-1', input: 'x' };
        const error = await errorOf(400, await app.v1(`${path}?${query}`, body, key));
        assert.equal(error.code, 'invalid_body', `${path}?${query}`);
      }
    }
    assert.deepEqual([one.received.length, two.received.length], [0, 0]);
    await expectStatus(200, await app.v1('chat/completions?beta=true', { model: 'model-1' }, key));
    await expectStatus(200, await app.v1('chat/completions?model=model-2', { model: 'model-1' }));
  });

  test('B9: may use tools that name no model, and members of these names further down', async (t) => {
    const { app } = await startTwoProviders(t);
    const key = await app.addKey({ models: ['model-1'] });
    const parameters = {
      type: 'object',
      properties: { model: { type: 'string' }, route: { type: 'string' } },
    };
    const tools = [{ type: 'function', function: { name: 'model', parameters } }];
    const body = { model: 'model-1', messages: [{ role: 'user', content: 'models' }], tools };
    await expectStatus(200, await app.v1('chat/completions', body, key));
  });

  const parts: FormPart[] = [
    [' models', 'whisper-1'],
    ['MODELS ', 'whisper-1'],
    ['models[a]', 'whisper-1'],
    ['models', speechOf(100), { name: '', type: 'audio/wav' }],
    ['Fallbacks[0]', speechOf(100), { name: 'x.wav', type: 'audio/wav' }],
    ['fallback_models', 'whisper-1'],
    ['context_window_fallback_dict', '{}'],
    ['preset', 'x'],
    ['plugins', '[]'],
    ['extra_body', '{"model":"whisper-1"}'],
    ['deployment_id', 'whisper-1'],
    ['pre\u017fet', 'x'],
  ];
  for (const part of parts) {
    test(`B9: may not send the ${part.length > 2 ? 'file' : 'field'} ${JSON.stringify(part[0])}`, async (t) => {
      const { app, upstream, chutes } = await startSpeech(t);
      const key = await app.addKey({ models: ['whisper'] });
      for (const form of [
        [MODEL, part, FILE],
        [part, MODEL, FILE],
      ]) {
        const error = await errorOf(400, await postAudio(app, form, { key }));
        assert.equal(error.code, 'invalid_body');
      }
      assert.deepEqual([upstream.received.length, chutes.received.length], [0, 0]);
      await expectStatus(200, await postAudio(app, [part, MODEL, FILE]));
    });
  }

  test('B9: may not send them in a form to be read either', async (t) => {
    const { app, upstream } = await startOcr(t, answering('Text'));
    const key = await app.addKey({ models: ['reader'] });
    const file: FormPart = ['file', pictureOf('image/png', 5_000), { name: 'a.png', type: 'image/png' }];
    const form: FormPart[] = [['model', 'reader'], ['Fallbacks', 'dots-ocr'], file];
    assert.equal((await errorOf(400, await postForm(app, form, key))).code, 'invalid_body');
    assert.equal(upstream.received.length, 0);
    await expectStatus(200, await postForm(app, form));
  });
});

describe('a form for anybody', { timeout: 30_000 }, () => {
  const ambiguous: FormPart[] = [
    ['Model', 'whisper-1'],
    [' model', 'whisper-1'],
    ['model\t', 'whisper-1'],
    ['MODEL[0]', 'whisper-1'],
    ['model[x]', 'whisper-1'],
    ['Model', speechOf(100), { name: '', type: 'audio/wav' }],
    ['=?utf-8?q?model?=', 'whisper-1'],
    ['=?UTF-8?B?bW9kZWw=?=', 'whisper-1'],
  ];
  for (const part of ambiguous) {
    test(`B9: is refused with ${JSON.stringify(part[0])}${part.length > 2 ? ' as a file' : ''}`, async (t) => {
      const { app, upstream } = await startSpeech(t);
      for (const form of [
        [MODEL, part, FILE],
        [part, MODEL, FILE],
        [part, FILE],
      ]) {
        assert.equal((await errorOf(400, await postAudio(app, form))).code, 'invalid_body');
      }
      assert.equal(upstream.received.length, 0);
    });
  }
});
