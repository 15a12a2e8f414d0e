import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isRecord } from '../../src/json/value.ts';
import { CHAT_ANSWER, json } from '../helpers/fake-upstream.ts';
import { answering, errorOf, postForm, sentBody, startOcr } from '../helpers/picture-server.ts';
import { curlForm, PICTURE_TYPES, pictureOf, sentPictures, sha256 } from '../helpers/pictures.ts';
import { expectStatus, MASTER_KEY } from '../helpers/start-app.ts';

const PNG = pictureOf('image/png');
const FILE = ['file', PNG, { name: 'scan.png', type: 'image/png' }] as const;

describe('a form to /v1/ocr', { timeout: 30_000 }, () => {
  for (const type of PICTURE_TYPES) {
    test(`with ${type}, as curl sends it, reaches the upstream as one chat completion with the same bytes`, async (t) => {
      const { app, upstream } = await startOcr(t);
      const bytes = pictureOf(type, 300_001);
      const answer = await postForm(app, [
        ['file', bytes, { name: 'scan', type: 'application/octet-stream' }],
        ['model', 'reader'],
      ]);
      assert.equal(answer.headers.get('content-type'), 'application/json');
      assert.deepEqual(await expectStatus(200, answer), { text: 'Hi', model: 'reader', provider: 'up' });
      assert.equal(upstream.received.length, 1);
      const [request] = upstream.received;
      assert.equal(request?.method, 'POST');
      assert.equal(request?.url, '/v1/chat/completions');
      assert.equal(request?.headers.authorization, 'Bearer provider-key');
      assert.equal(request?.headers['content-type'], 'application/json');
      assert.equal(sentBody(upstream)['model'], 'vendor/reader-1');
      const [picture, ...others] = sentPictures(request);
      assert.deepEqual([picture?.mediaType, picture?.digest], [type, sha256(bytes)]);
      assert.deepEqual(others, []);
    });
  }

  test('may have its model before the file, a prompt anywhere, and a file without name or type', async (t) => {
    const { app, upstream } = await startOcr(t);
    const prompt = 'Прочитай "всё"\r\nновая строка \\ \u{1f600}';
    for (const parts of [
      [['model', 'reader'], ['prompt', prompt], FILE],
      [['prompt', prompt], FILE, ['model', 'reader']],
      [FILE, ['model', 'reader'], ['prompt', prompt]],
      [
        ['prompt', prompt],
        ['model', 'reader'],
        ['file', PNG, { name: '' }],
      ],
    ] as const) {
      await expectStatus(200, await postForm(app, parts));
      const content = JSON.stringify(sentBody(upstream)['messages']);
      assert.ok(content.includes(JSON.stringify({ type: 'text', text: prompt })), content.slice(-300));
      assert.equal(sentPictures(upstream.received.at(-1))[0]?.digest, sha256(PNG));
    }
    assert.equal(upstream.received.length, 4);
  });

  test('without a prompt, or with an empty one, asks for the text', async (t) => {
    const { app, upstream } = await startOcr(t);
    await expectStatus(200, await postForm(app, [FILE, ['model', 'reader']]));
    const usual = upstream.received.at(-1)?.body;
    assert.match(usual?.toString() ?? '', /"text":"[^"]*text[^"]*"/);
    await expectStatus(200, await postForm(app, [FILE, ['model', 'reader'], ['prompt', '']]));
    assert.deepEqual(upstream.received.at(-1)?.body, usual);
  });

  test('made by fetch from a Blob is taken as well', async (t) => {
    const { app, upstream } = await startOcr(t);
    const body = new FormData();
    body.append('model', 'reader');
    body.append('file', new Blob([new Uint8Array(PNG)]), 'снимок.png');
    const headers = { authorization: `Bearer ${MASTER_KEY}` };
    const answer = await fetch(`${app.origin}/v1/ocr`, { method: 'POST', headers, body });
    assert.deepEqual(await expectStatus(200, answer), { text: 'Hi', model: 'reader', provider: 'up' });
    assert.equal(sentPictures(upstream.received[0])[0]?.digest, sha256(PNG));
  });

  test('is answered with the id that was asked for, by the provider of that model', async (t) => {
    const { app, upstream, other } = await startOcr(t);
    const answer = await postForm(app, [FILE, ['model', 'dots-ocr']]);
    assert.equal(answer.headers.get('x-ipin-provider'), 'second');
    assert.equal(answer.headers.get('x-ipin-attempts'), '1');
    assert.deepEqual(await expectStatus(200, answer), {
      text: 'Other',
      model: 'dots-ocr',
      provider: 'second',
    });
    assert.equal(sentBody(other)['model'], 'rednote-hilab/dots.ocr');
    assert.equal(upstream.received.length, 0);
  });
});

describe('the answer of /v1/ocr', { timeout: 30_000 }, () => {
  const LAYOUT = [
    { bbox: [0, 0, 10, 10], category: 'Title', text: '# Invoice' },
    { bbox: [0, 10, 10, 20], category: 'Picture' },
    { bbox: [0, 20, 10, 30], category: 'Text', text: 'Total: 12 €' },
  ];
  const fenced = (text: string): string => `\`\`\`json\n${text}\n\`\`\``;
  for (const [what, content, text] of [
    ['a layout of dots.ocr', JSON.stringify(LAYOUT), '# Invoice\n\nTotal: 12 €'],
    ['a layout in a fence', fenced(JSON.stringify(LAYOUT, null, 2)), '# Invoice\n\nTotal: 12 €'],
    ['plain text', '  first\nsecond\n', 'first\nsecond'],
    ['a fence around text', '```\nfirst\n```', 'first'],
    ['a picture without a word', '', ''],
    ['text that looks like JSON', '[1] A footnote', '[1] A footnote'],
  ] as const) {
    test(`holds the text of ${what}`, async (t) => {
      const { app } = await startOcr(t, answering(content));
      const answer = await postForm(app, [FILE, ['model', 'reader']]);
      assert.deepEqual(await expectStatus(200, answer), { text, model: 'reader', provider: 'up' });
    });
  }

  test('is the upstream’s error, in the envelope', async (t) => {
    const { app, upstream } = await startOcr(t);
    const error = { message: 'image is unreadable', type: 'BadRequestError', param: null, code: 'bad_image' };
    upstream.answer = json({ error }, 400);
    const refused = await postForm(app, [FILE, ['model', 'reader']]);
    assert.equal(refused.headers.get('x-ipin-provider'), 'up');
    assert.deepEqual(await expectStatus(400, refused), { error });

    upstream.answer = json({ object: 'error', message: 'busy', code: 429 }, 429, { 'retry-after': '7' });
    const busy = await postForm(app, [FILE, ['model', 'reader']]);
    assert.equal(busy.headers.get('retry-after'), '7');
    assert.equal((await errorOf(429, busy)).message, 'busy');

    app.services.health.wakeProvider('up');
    upstream.answer = json({ detail: 'bad key' }, 401);
    const denied = await postForm(app, [FILE, ['model', 'reader']]);
    assert.equal((await errorOf(502, denied)).code, 'upstream_auth_failed');
  });

  for (const [what, answer] of [
    ['HTML', '<html>'],
    ['nothing', ''],
    ['JSON without a text', { choices: [] }],
    ['a list of models', { object: 'list', data: [] }],
  ] as const) {
    test(`is 502 where the upstream answers ${what}`, async (t) => {
      const { app } = await startOcr(t, json(answer));
      const error = await errorOf(502, await postForm(app, [FILE, ['model', 'reader']]));
      assert.equal(error.code, 'upstream_invalid_response');
    });
  }

  test('hands on what the upstream tells of itself, not its body’s headers', async (t) => {
    const { app } = await startOcr(
      t,
      json(CHAT_ANSWER, 200, { 'x-request-id': 'req-up', 'x-ratelimit-limit-requests': '9', etag: '"1"' }),
    );
    const answer = await postForm(app, [FILE, ['model', 'reader']]);
    assert.equal(answer.headers.get('x-ipin-upstream-request-id'), 'req-up');
    assert.equal(answer.headers.get('x-ratelimit-limit-requests'), '9');
    assert.equal(answer.headers.get('etag'), null);
    const text = await answer.text();
    assert.equal(answer.headers.get('content-length'), `${Buffer.byteLength(text)}`);
  });
});

describe('a reading', { timeout: 30_000 }, () => {
  test('ends at the upstream when its client goes away', async (t) => {
    const { app, upstream } = await startOcr(t);
    const client = new AbortController();
    const gone = new Promise<void>((resolve) => {
      upstream.answer = (_req, res) => {
        res.on('close', resolve);
        client.abort();
      };
    });
    const { contentType, body } = curlForm([FILE, ['model', 'reader']]);
    const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': contentType };
    const init = { method: 'POST', headers, body: new Uint8Array(body), signal: client.signal };
    await assert.rejects(fetch(`${app.origin}/v1/ocr`, init), { name: 'AbortError' });
    await gone;
    assert.equal(upstream.received.length, 1);
  });

  test('keeps to its own picture among others at the same time', async (t) => {
    const { app, upstream } = await startOcr(t);
    upstream.answer = (req, res, request) => {
      answering(sentPictures(request)[0]?.digest ?? 'none')(req, res, request);
    };
    const pictures = Array.from({ length: 12 }, (_, index) => pictureOf('image/webp', 200_000 + index));
    const texts = await Promise.all(
      pictures.map(async (picture) => {
        const parts = [
          ['file', picture, { name: 'a.webp' }],
          ['model', 'reader'],
        ] as const;
        const answer = await expectStatus(200, await postForm(app, parts));
        return isRecord(answer) ? answer['text'] : null;
      }),
    );
    assert.deepEqual(texts, pictures.map(sha256));
  });

  test('through a provider of type chutes is a chat completion like any other', async (t) => {
    const { app, other } = await startOcr(t);
    const provider = { id: 'chutes', baseUrl: other.origin, type: 'chutes', apiKey: 'cpk_1' } as const;
    await app.addProvider(provider, [{ id: 'dots', upstreamModel: 'rednote-hilab/dots.ocr' }]);
    const answer = await postForm(app, [FILE, ['model', 'dots']]);
    assert.deepEqual(await expectStatus(200, answer), { text: 'Other', model: 'dots', provider: 'chutes' });
    const [request] = other.received;
    assert.equal(request?.url, '/v1/chat/completions');
    assert.equal(request?.headers.authorization, 'Bearer cpk_1');
    assert.equal(sentBody(other)['model'], 'rednote-hilab/dots.ocr');
    assert.equal(sentPictures(request)[0]?.digest, sha256(PNG));
  });
});
