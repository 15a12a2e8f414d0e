import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ModelOptions } from '../../src/store/entities.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { dataUrl, pictureOf } from '../helpers/pictures.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const PNG = pictureOf('image/png');
const JPEG = pictureOf('image/jpeg');

async function start(
  t: TestContext,
  options: ModelOptions,
  answer: unknown = CHAT_ANSWER,
): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, json(answer));
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
    { id: 'm', options },
    { id: 'plain' },
    { id: 'alias', upstreamModel: 'vendor/model-1', options },
  ]);
  return { app, upstream };
}

const lastBody = (upstream: FakeUpstream): string => upstream.received.at(-1)?.body.toString() ?? '';

describe('the options of a model', { timeout: 20_000 }, () => {
  test('change the named fields of a chat and no other byte', async (t) => {
    const { app, upstream } = await start(t, {
      rename: { top_k: 'k' },
      drop: ['user'],
      defaults: { temperature: 0.5, k: 1, seed: 7 },
      maxTokensField: 'max_completion_tokens',
      maxOutputTokens: 100,
      reasoningEffort: false,
    });
    const body =
      '{ "user":"u", "max_tokens" : 1e3,"messages":[{"role":"user","content":"\\u0041 user"}] ,\n"temperature":null,"top_k":1.0, "reasoning_effort":"high" , "model":"m"}';
    await expectStatus(200, await app.v1('chat/completions', body));
    assert.equal(
      lastBody(upstream),
      '{  "max_completion_tokens" : 100,"messages":[{"role":"user","content":"\\u0041 user"}] ,\n"temperature":null,"k":1.0,  "model":"m","seed":7}',
    );
    await expectStatus(200, await app.v1('chat/completions', body.replace('"m"', '"plain"')));
    assert.equal(lastBody(upstream), body.replace('"m"', '"plain"'));
  });

  test('go together with the name at the provider and images that are mended', async (t) => {
    const { app, upstream } = await start(t, { drop: ['user'], defaults: { n: 1 } });
    const chat = (url: string, rest: string) =>
      `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"${url}"}}]}],${rest}}`;
    const wrong = dataUrl('image/png', JPEG);
    await expectStatus(200, await app.v1('chat/completions', chat(wrong, '"model":"alias","user":"u"')));
    assert.equal(lastBody(upstream), chat(dataUrl('image/jpeg', JPEG), '"model":"vendor/model-1","n":1'));
  });

  test('hold for a body of 5 MB, which is scanned in turns', async (t) => {
    const { app, upstream } = await start(t, { drop: ['user'], rename: { top_k: 'k' } });
    const content = 'long \\n'.repeat(750_000);
    const chat = (first: string, last: string) =>
      `{${first}"messages":[{"role":"user","content":"${content}"}],"model":"m"${last}}`;
    await expectStatus(200, await app.v1('chat/completions', chat('"user":"u",', ',"top_k":1')));
    assert.ok(lastBody(upstream) === chat('', ',"k":1'));
  });

  test('hold for embeddings, also where the provider refuses the format or the model', async (t) => {
    const { app, upstream } = await start(t, {});
    upstream.answer = (req, res, request) => {
      const isRefused = request.body.includes('base64');
      const answer = isRefused ? { detail: 'encoding_format' } : { data: [{ index: 0, embedding: [1] }] };
      json(answer, isRefused ? 400 : 200)(req, res, request);
    };
    const options = { drop: ['user'], defaults: { dimensions: 8 } };
    await app.addProvider({ id: 'up2', baseUrl: upstream.origin }, [{ id: 'e', options }]);
    const body = '{"model":"e","user":"u","encoding_format":"base64","input":"x"}';
    await expectStatus(200, await app.v1('embeddings', body));
    assert.equal(lastBody(upstream), '{"model":"e","encoding_format":"float","input":"x","dimensions":8}');

    const noFormat = { drop: ['encoding_format', 'user'] };
    await app.addProvider({ id: 'up3', baseUrl: upstream.origin }, [{ id: 'f', options: noFormat }]);
    await expectStatus(200, await app.v1('embeddings', body.replace('"e"', '"f"')));
    assert.equal(lastBody(upstream), '{"model":"f","input":"x"}');
  });

  test('hold for Chutes, also after it refused the name of a model for embeddings', async (t) => {
    const upstream = await startUpstream(t, (req, res, request) => {
      const isRefused = request.body.includes('vendor');
      const answer = isRefused ? { detail: 'no such model' } : { data: [{ index: 0, embedding: [1] }] };
      json(answer, isRefused ? 404 : 200)(req, res, request);
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, type: 'chutes' }, [
      { id: 'e', upstreamModel: 'vendor', options: { drop: ['user'], rename: { dims: 'dimensions' } } },
    ]);
    for (const body of [
      '{"user":"u","model":"e","dims":8,"input":"x"}',
      '{"dims":8,"input":"x","user":"u","model":"e"}',
    ]) {
      await expectStatus(200, await app.v1('embeddings', body));
      assert.equal(lastBody(upstream), '{"dimensions":8,"input":"x"}');
    }
  });

  test('hold for the chat that reads a text out of an image', async (t) => {
    const { app, upstream } = await start(t, {
      maxTokensField: 'max_completion_tokens',
      maxOutputTokens: 4000,
      drop: ['top_p'],
      rename: { temperature: 't' },
      defaults: { seed: 1 },
    });
    const body = { model: 'm', image_url: dataUrl('image/png', PNG), prompt: 'Read.' };
    await expectStatus(200, await app.v1('ocr', body));
    const { messages: _messages, ...rest } = JSON.parse(lastBody(upstream)) as Record<string, unknown>;
    assert.deepEqual(rest, { model: 'm', max_completion_tokens: 4000, t: 0.1, seed: 1 });
    const all = ['max_tokens', 'temperature', 'top_p'];
    await app.addProvider({ id: 'up2', baseUrl: upstream.origin }, [{ id: 'bare', options: { drop: all } }]);
    await expectStatus(200, await app.v1('ocr', { ...body, model: 'bare' }));
    assert.deepEqual(Object.keys(JSON.parse(lastBody(upstream)) as object), ['model', 'messages']);
  });

  test('decide about `stream_options` before the server adds them for the usage', async (t) => {
    const rows: [options: ModelOptions, sent: string][] = [
      [{ drop: ['user'] }, '{"stream_options":{"include_usage":true}, "model":"m","stream":true}'],
      [{ drop: ['stream_options'] }, '{"user":"u", "model":"m","stream":true}'],
      [
        { defaults: { stream_options: { x: 1 } } },
        '{"user":"u", "model":"m","stream":true,"stream_options":{"x":1}}',
      ],
      [{ rename: { user: 'stream_options' } }, '{"stream_options":"u", "model":"m","stream":true}'],
    ];
    for (const [options, sent] of rows) {
      const { app, upstream } = await start(t, options);
      await (await app.v1('chat/completions', '{"user":"u", "model":"m","stream":true}')).text();
      assert.equal(lastBody(upstream), sent);
    }
  });

  test('leave forms as they are', async (t) => {
    const { app, upstream } = await start(
      t,
      { drop: ['prompt'], defaults: { language: 'en' } },
      { text: 'x' },
    );
    const form = new FormData();
    form.set('model', 'm');
    form.set('prompt', 'p');
    form.set('file', new Blob([Buffer.alloc(5000, 1)]), 'a.wav');
    const response = await fetch(`${app.origin}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${MASTER_KEY}` },
      body: form,
    });
    await expectStatus(200, response);
    assert.match(lastBody(upstream), /name="prompt"/);
    assert.doesNotMatch(lastBody(upstream), /name="language"/);
  });
});
