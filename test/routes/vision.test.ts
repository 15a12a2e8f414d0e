import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { dataUrl, PICTURE_TYPES, pictureOf, sentPictures, sha256 } from '../helpers/pictures.ts';
import { type AppUnderTest, expectStatus, startApp } from '../helpers/start-app.ts';

const PNG = pictureOf('image/png');
const JPEG = pictureOf('image/jpeg');
const PNG_DATA = PNG.toString('base64');
const JPEG_DATA = JPEG.toString('base64');
const PNG_URL = dataUrl('image/png', PNG);

async function start(t: TestContext): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
    { id: 'm' },
    { id: 'alias', upstreamModel: 'vendor/sees-1' },
  ]);
  return { app, upstream };
}

/** Sends a body as it is written here and gives the one that arrived. */
async function through(t: TestContext, path: string, body: string): Promise<string> {
  const { app, upstream } = await start(t);
  await expectStatus(200, await app.v1(path, body));
  assert.equal(upstream.received.length, 1);
  assert.equal(upstream.received[0]?.url, `/v1/${path}`);
  return upstream.received[0]?.body.toString() ?? '';
}

/** A body of whose spelling every detail would be lost in `JSON.parse`: spaces, escapes, numbers, names that stand twice. */
function chatWith(imageUrl: string): string {
  return (
    '{ "temperature":1.0e0,\n\t"messages" : [{"role":"user","content":"\\u0041\\/ no part"}, {"content":[\r\n' +
    '{"type":"text","text":"caf\\u00e9 \u{1f600} 12345678901234567890"},' +
    `{"type" : "image_url" , "image_url" : ${imageUrl} , "min_pixels":100352,"max_pixels" : 1e6 }` +
    ',{"cache_control":{"type":"ephemeral"},"text":"","type":"text"}],"role":"user"}],' +
    '"vl_high_resolution_images":true, "x":1,"x":2, "big":0.1000000000000000055, "model":"m" }'
  );
}

const inObject = (literal: string): string => `{ "detail":"high" ,"url" :${literal}}`;

type Spelling = readonly [name: string, given: string, arrives: string];
const AS_GIVEN: readonly (readonly [string, string])[] = [
  ['a canonical PNG', PNG_URL],
  ['slashes that are escaped', PNG_URL.replaceAll('/', '\\/')],
  ['a label written in escapes', PNG_URL.replace('data', '\\u0064\\u0061ta')],
  ['an address', 'https://example.com/a b.png?q=\\"\\u20ac\\"#x'],
  ['an address without TLS, in capitals', 'HTTP://EXAMPLE.COM/A.JPG'],
  ['an address of the machine itself', 'http://169.254.169.254/latest/meta-data/'],
];
const MENDED: readonly Spelling[] = [
  ['image/jpg', `data:image/jpg;base64,${JPEG_DATA}`, dataUrl('image/jpeg', JPEG)],
  ['capitals', `DATA:Image/PNG;Base64,${PNG_DATA}`, PNG_URL],
  ['parameters', `data:image/png;charset=utf-8;name=a.png;base64,${PNG_DATA}`, PNG_URL],
  ['no media type', `data:;base64,${PNG_DATA}`, PNG_URL],
  ['a media type that the bytes deny', `data:image/png;base64,${JPEG_DATA}`, dataUrl('image/jpeg', JPEG)],
  ['a media type of anything', `data:application/octet-stream;base64,${PNG_DATA}`, PNG_URL],
  ['white space in the label', ` data:image/png ; base64,${PNG_DATA}`, PNG_URL],
  ['lines in the data', PNG_URL.replace(/.{76}/g, '$&\\r\\n'), PNG_URL],
  ['no padding', PNG_URL.replace(/=+$/, ''), PNG_URL],
  ['the alphabet of URLs', `data:image/png;base64,${PNG.toString('base64url')}`, PNG_URL],
];

describe('a picture in a chat', { timeout: 60_000 }, () => {
  for (const [name, url] of AS_GIVEN) {
    test(`arrives byte for byte: ${name}`, async (t) => {
      const body = chatWith(inObject(`"${url}"`));
      assert.equal(await through(t, 'chat/completions', body), body);
    });
  }

  for (const [name, given, arrives] of MENDED) {
    test(`is mended, and nothing else is changed: ${name}`, async (t) => {
      const body = chatWith(inObject(`"${given}"`));
      assert.equal(await through(t, 'chat/completions', body), chatWith(inObject(`"${arrives}"`)));
    });
  }

  test('as a string becomes the object that the API documents', async (t) => {
    for (const [given, arrives] of [
      [PNG_URL, PNG_URL],
      [`data:image/jpg;base64,${JPEG_DATA}`, dataUrl('image/jpeg', JPEG)],
      ['https://example.com/a.png', 'https://example.com/a.png'],
    ]) {
      const sent = await through(t, 'chat/completions', chatWith(`"${given}"`));
      assert.equal(sent, chatWith(`{"url":"${arrives}"}`));
    }
  });

  test('that is spelled as in /v1/responses becomes one of a chat, type and all', async (t) => {
    const jpg = `data:image/jpg;base64,${JPEG_DATA}`;
    const partsOf = (kind: string, imageUrl: (url: string) => string): string =>
      [
        `{"type":"${kind}","image_url":${imageUrl(PNG_URL)},"detail":"low"}`,
        '{"type":"text","text":"input_image"}',
        `{"image_url":${imageUrl(jpg)},"type":"${kind}"}`,
        '{"type":"input_image","file_id":"file-1"}',
        `{"type":"image_url","image_url":${imageUrl('https://example.com/a')}}`,
      ].join(', ');
    const bodyWith = (parts: string): string =>
      `{"messages":[{"role":"user","content":"input_image"},{"role":"user","content":[${parts}]}],"model":"m"}`;
    const sent = await through(
      t,
      'chat/completions',
      bodyWith(partsOf('input\\u005fimage', (url) => `"${url}"`)),
    );
    const mended = bodyWith(partsOf('image_url', (url) => `{"url":"${url}"}`));
    assert.equal(sent, mended.replace(jpg, dataUrl('image/jpeg', JPEG)));
  });

  test("that is spelled as Qwen's own API has it becomes one of a chat; other members of that name stay", async (t) => {
    const bodyWith = (parts: string): string =>
      `{"messages":[{"role":"user","content":[${parts}]}],"model":"m"}`;
    const others = '{"type":"image","image":{"format":"png"}},{"type":"image","image":"cat"},{"image":null}';
    const sent = await through(
      t,
      'chat/completions',
      bodyWith(
        `{"type":"image","image" : "${PNG_URL}","min_pixels":4},{"im\\u0061ge":"https://example.com/a"},${others}`,
      ),
    );
    const mended = `{"type":"image_url","image_url" : {"url":"${PNG_URL}"},"min_pixels":4},{"image_url":{"url":"https://example.com/a"}},${others}`;
    assert.equal(sent, bodyWith(mended));
  });

  test('has the same bytes at the upstream, for every type, beside others, in any message', async (t) => {
    const { app, upstream } = await start(t);
    const pictures = PICTURE_TYPES.map((type, index) => ({ type, bytes: pictureOf(type, 200_000 + index) }));
    const url = 'https://example.com/last.png';
    const body = {
      model: 'alias',
      messages: [
        ...pictures.map(({ type, bytes }, index) => ({
          role: index % 2 === 0 ? 'user' : 'tool',
          content: [
            { type: 'text', text: 'Compare' },
            { type: 'image_url', image_url: { url: dataUrl(type, bytes), detail: 'low' } },
            { type: 'image_url', image_url: dataUrl('image/jpg', bytes) },
          ],
        })),
        { role: 'user', content: [{ type: 'image_url', image_url: url }] },
      ],
    };
    await expectStatus(200, await app.v1('chat/completions', body));
    const sent = sentPictures(upstream.received[0]);
    assert.equal(sent.pop()?.url, url);
    assert.deepEqual(
      sent.map(({ mediaType, digest }) => [mediaType, digest]),
      pictures.flatMap(({ type, bytes }) => [
        [type, sha256(bytes)],
        [type, sha256(bytes)],
      ]),
    );
    assert.deepEqual(sent[0]?.value, { url: sent[0]?.url, detail: 'low' });
    assert.equal(JSON.parse(upstream.received[0]?.body.toString() ?? '').model, 'vendor/sees-1');
  });

  test('goes along with a stream', async (t) => {
    const { app, upstream } = await start(t);
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(
        'data: {"choices":[{"index":0,"delta":{"content":"cat"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
      );
    };
    const content = [{ type: 'image_url', image_url: { url: dataUrl('image/jpg', JPEG) } }];
    const body = { model: 'm', stream: true, messages: [{ role: 'user', content }] };
    const answer = await app.v1('chat/completions', body);
    assert.match(await answer.text(), /"cat".*\[DONE\]\n\n$/s);
    const [picture] = sentPictures(upstream.received[0]);
    assert.deepEqual([picture?.mediaType, picture?.digest], ['image/jpeg', sha256(JPEG)]);
  });

  test('behind an address is never fetched: nobody even connects there', async (t) => {
    const { app, upstream } = await start(t);
    let connections = 0;
    const canary = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    t.after(() => new Promise((resolve) => canary.close(resolve)));
    const address = canary.address();
    assert.ok(address !== null && typeof address === 'object');
    const urls = [`http://127.0.0.1:${address.port}/a.png`, `https://localhost:${address.port}/b.jpg`];
    for (const url of urls) {
      const chat = { role: 'user', content: [{ type: 'image_url', image_url: { url } }] };
      await expectStatus(200, await app.v1('chat/completions', { model: 'm', messages: [chat] }));
      const input = [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }];
      await expectStatus(200, await app.v1('responses', { model: 'm', input }));
      await expectStatus(200, await app.v1('ocr', { model: 'm', image_url: url }));
    }
    assert.equal(upstream.received.length, 6);
    assert.ok(upstream.received.every(({ body }, index) => body.includes(urls[index < 3 ? 0 : 1] ?? '?')));
    assert.equal(connections, 0);
  });

  test('whose `image_url` is null stays so', async (t) => {
    const body = chatWith('null');
    assert.equal(await through(t, 'chat/completions', body), body);
  });
});

/** The same for `/v1/responses`, whose pictures are strings. */
function responsesWith(imageUrl: string): string {
  return (
    '{"input" : [{"role":"user","content":[{"type":"input_text","text":"\\u0041"},' +
    ` {"type":"input_image", "image_url": ${imageUrl},"detail":"original"}, {"type":"input_image","file_id":"file-1"}]},` +
    `{"type":"function_call_output","output":[{"image_url" :${imageUrl},"type":"input_image"}],"call_id":"c"},` +
    '{"type":"function_call_output","output":"plain","call_id":"d"},' +
    '{"type":"message","content":"plain","role":"user"}], "store":false ,"model":"m"}'
  );
}

describe('a picture in /v1/responses', { timeout: 30_000 }, () => {
  for (const [name, url] of AS_GIVEN) {
    test(`arrives byte for byte, a string still: ${name}`, async (t) => {
      const body = responsesWith(`"${url}"`);
      assert.equal(await through(t, 'responses', body), body);
    });
  }

  for (const [name, given, arrives] of MENDED) {
    test(`is mended, and nothing else is changed: ${name}`, async (t) => {
      const sent = await through(t, 'responses', responsesWith(`"${given}"`));
      assert.equal(sent, responsesWith(`"${arrives}"`));
    });
  }
});
