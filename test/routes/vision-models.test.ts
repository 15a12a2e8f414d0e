import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { isRecord } from '../../src/json/value.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { dataUrl, pictureOf, sentPictures, sha256 } from '../helpers/pictures.ts';
import {
  type AppUnderTest,
  expectStatus,
  jsonRequest,
  MASTER_KEY,
  type ModelFields,
  startApp,
} from '../helpers/start-app.ts';

async function start(
  t: TestContext,
  models: readonly ModelFields[],
): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, models);
  return { app, upstream };
}

const get = (app: AppUnderTest, path: string, key = MASTER_KEY): Promise<Response> =>
  fetch(`${app.origin}/v1/${path}`, jsonRequest('GET', `Bearer ${key}`));

/** The `vision` of each object in a list, by its id. */
async function visionIn(response: Response): Promise<Record<string, unknown>> {
  const list = await expectStatus(200, response);
  assert.ok(isRecord(list) && Array.isArray(list['data']));
  return Object.fromEntries(list['data'].map(({ id, vision }) => [id, vision]));
}

describe('whether a model sees', { timeout: 30_000 }, () => {
  // The models that the documentation names, and what stands beside them in real lists.
  const GUESSED = {
    'gpt-4-vision': true,
    'gpt-4-turbo': true,
    'gpt-4o': true,
    'claude-3-5-sonnet-20241022': true,
    'gemini-1.5-pro': true,
    'qwen-vl': true,
    'qwen2-vl': true,
    'qwen3-vl': true,
    'qwen3-vl-plus': true,
    'Qwen/Qwen2.5-VL-72B-Instruct': true,
    'gpt-3.5-turbo': false,
    'qwen3-embedding-8b': false,
    'qwen3-max': false,
    'whisper-large-v3': false,
    'deepseek-chat': false,
  } as const;

  test('is guessed from its name in /v1/models; the panel’s API says that it is a guess', async (t) => {
    const { app } = await start(
      t,
      Object.keys(GUESSED).map((id) => ({ id })),
    );
    assert.deepEqual(await visionIn(await get(app, 'models')), GUESSED);
    const kept = await visionIn(await app.admin('GET', '/api/admin/models'));
    for (const id of Object.keys(GUESSED)) assert.equal(kept[id], null, id);
  });

  test('is guessed from the provider’s name for it, too', async (t) => {
    const { app } = await start(t, [
      { id: 'eyes', upstreamModel: 'Qwen/Qwen3-VL-235B' },
      { id: 'ears', upstreamModel: 'openai/whisper-1' },
    ]);
    assert.deepEqual(await visionIn(await get(app, 'models')), { eyes: true, ears: false });
  });

  test('is what its flag says, against every guess, from the next request on', async (t) => {
    const { app } = await start(t, [{ id: 'gpt-4o', vision: false }, { id: 'mine' }]);
    const visionOf = async (id: string): Promise<unknown> => {
      const model = await expectStatus(200, await get(app, `models/${id}`));
      assert.ok(isRecord(model));
      return model['vision'];
    };
    assert.deepEqual([await visionOf('gpt-4o'), await visionOf('mine')], [false, false]);
    for (const [id, vision, shown] of [
      ['mine', true, true],
      ['gpt-4o', true, true],
      ['mine', false, false],
      ['gpt-4o', false, false],
      ['mine', null, false],
      ['gpt-4o', null, true],
    ] as const) {
      const changed = await expectStatus(200, await app.admin('PUT', `/api/admin/models/${id}`, { vision }));
      assert.ok(isRecord(changed));
      assert.equal(changed['vision'], vision);
      assert.equal(await visionOf(id), shown, `${id}: ${vision}`);
      assert.equal((await visionIn(await get(app, 'models')))[id], shown);
      assert.equal((await visionIn(await app.admin('GET', '/api/admin/models')))[id], vision);
    }
  });
});

describe('Qwen’s models that see', { timeout: 30_000 }, () => {
  const PICTURE = pictureOf('image/png', 50_000);
  const MODELS: readonly ModelFields[] = [
    { id: 'qwen3-vl-plus' },
    { id: 'Qwen/Qwen2.5-VL-72B-Instruct' },
    { id: 'qvq-max' },
    { id: 'my-eyes', upstreamModel: 'qwen-vl-max' },
    { id: 'named-otherwise', vision: true },
    { id: 'qwen-vl-but-switched-off', vision: false },
  ];

  test('get the object form, a true media type, whole base64 and their own extras', async (t) => {
    const { app, upstream } = await start(t, MODELS);
    for (const { id, upstreamModel } of MODELS) {
      for (const image_url of [
        dataUrl('image/png', PICTURE),
        { url: dataUrl('image/jpg', PICTURE) },
        { url: `data:;base64,${PICTURE.toString('base64url')}` },
      ]) {
        const pixels = { min_pixels: 100_352, max_pixels: 1_003_520 };
        await expectStatus(
          200,
          await app.v1('chat/completions', {
            model: id,
            vl_high_resolution_images: true,
            messages: [{ role: 'user', content: [{ type: 'image_url', image_url, ...pixels }] }],
          }),
        );
        const request = upstream.received.at(-1);
        const url = dataUrl('image/png', PICTURE);
        assert.deepEqual(JSON.parse(request?.body.toString() ?? ''), {
          model: upstreamModel ?? id,
          vl_high_resolution_images: true,
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url }, ...pixels }] }],
        });
        assert.equal(sentPictures(request)[0]?.digest, sha256(PICTURE));
      }
    }
    assert.equal(upstream.received.length, MODELS.length * 3);
  });

  test('get GIF and addresses as they are, and what they say of them comes back', async (t) => {
    const { app, upstream } = await start(t, MODELS);
    const message = 'The image format is illegal and cannot be opened';
    const error = { message, type: 'invalid_request_error', param: null, code: 'invalid_parameter_error' };
    upstream.answer = json({ error, request_id: 'r-1' }, 400);
    const gif = dataUrl('image/gif', pictureOf('image/gif'));
    for (const url of [gif, 'http://example.com/a.png', 'https://example.com/a.png']) {
      const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }];
      const answer = await expectStatus(
        400,
        await app.v1('chat/completions', { model: 'qvq-max', messages }),
      );
      assert.ok(isRecord(answer));
      assert.deepEqual(answer['error'], error);
      assert.equal(sentPictures(upstream.received.at(-1))[0]?.url, url);
    }
  });
});
