import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { startUpstream } from '../helpers/fake-upstream.ts';
import { startApp } from '../helpers/start-app.ts';

const DONE = 'data: [DONE]\n\n';
const SIZES = [10, 4_000, 5_000, 100_000, 1_000_000, 8_000_000];

function chunk(content: string, finish: string | null = null): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'real', choices })}\n\n`;
}

function event(type: string, more: object, isNamed = true): string {
  return `${isNamed ? `event: ${type}\n` : ''}data: ${JSON.stringify({ type, ...more })}\n\n`;
}

/** A Responses stream: many deltas, then an event that repeats the whole answer before it names the model. */
function responses(text: string, isNamed = true): string {
  const deltas = Array.from({ length: 20 }, (_, index) =>
    event('response.output_text.delta', { delta: `part ${index}`, sequence_number: index }, isNamed),
  );
  const output = [{ type: 'message', content: [{ type: 'output_text', text }], tools: [{ model: 'real' }] }];
  const created = event('response.created', { response: { id: 'r', model: 'real', error: null } }, isNamed);
  const last = event('response.completed', { response: { id: 'r', output, model: 'real' } }, isNamed);
  return created + deltas.join('') + last;
}

/** Requests a stream from two models, one of them renamed, and compares every byte. */
async function passesWhole(t: TestContext, path: string, body: string, renamed: string): Promise<void> {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(body);
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
    { id: 'real' },
    { id: 'alias', upstreamModel: 'real' },
  ]);
  for (const [model, expected] of [
    ['real', body],
    ['alias', renamed],
  ] as const) {
    const answer = await app.v1(path, { model, stream: true, stream_options: { include_usage: true } });
    const text = await answer.text();
    assert.equal(text.length, expected.length, `${model}: ${text.slice(-300)}`);
    assert.ok(text === expected, model);
  }
  assert.equal(app.services.budget.usedBytes, 0);
}

describe('a Responses stream, which has no [DONE]', { timeout: 60_000 }, () => {
  for (const size of SIZES) {
    test(`A1: passes whole when its last event repeats an answer of ${size} bytes`, async (t) => {
      const body = responses('x'.repeat(size));
      const renamed = body.replace('"model":"real","error"', '"model":"alias","error"');
      await passesWhole(
        t,
        'responses',
        body,
        renamed.replace(/"model":"real"\}\}\n\n$/, '"model":"alias"}}\n\n'),
      );
    });
  }

  test('A1: passes whole when its events are named only in their data', async (t) => {
    for (const size of [10, 100_000]) {
      const body = responses('x'.repeat(size), false);
      const renamed = body.replace('"model":"real","error"', '"model":"alias","error"');
      await passesWhole(
        t,
        'responses',
        body,
        renamed.replace(/"model":"real"\}\}\n\n$/, '"model":"alias"}}\n\n'),
      );
    }
  });
});

describe('a record whose first bytes arrive alone', { timeout: 60_000 }, () => {
  const body = responses('x'.repeat(300_000));
  const last = body.lastIndexOf('event: response.completed');
  for (const at of [last + 3, last + 20, last + 'event: response.completed\n'.length, last + 28]) {
    test(`A2: is renamed and seen as the end, cut ${at - last} bytes after its start`, async (t) => {
      let finish: () => void = () => {};
      const upstream = await startUpstream(t, (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(body.slice(0, at));
        finish = () => void res.end(body.slice(at));
      });
      const app = await startApp(t);
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'alias', upstreamModel: 'real' }]);
      const answer = await app.v1('responses', { model: 'alias', stream: true });
      // The headers have arrived, so the first part has passed the server.
      finish();
      const text = await answer.text();
      assert.match(text, /"model":"alias"\}\}\n\n$/);
      assert.doesNotMatch(text, /event: error|response\.failed/);
    });
  }
});

describe('a chat stream', { timeout: 60_000 }, () => {
  for (const size of SIZES) {
    test(`A1: passes whole without [DONE] when its last chunk has ${size} bytes`, async (t) => {
      const body = chunk('a') + chunk('x'.repeat(size), 'stop');
      await passesWhole(t, 'chat/completions', body, body.replaceAll('"model":"real"', '"model":"alias"'));
    });
  }

  test('A1: of 3,000 records passes whole with its end far from its last bytes', async (t) => {
    const usage = 'data: {"choices":[],"usage":{"total_tokens":1}}\n\n';
    const body = chunk('token ').repeat(3_000) + chunk('', 'stop') + usage + ': bye\n\n'.repeat(500);
    await passesWhole(t, 'chat/completions', body, body.replaceAll('"model":"real"', '"model":"alias"'));
  });

  test('A2: passes images of 8 MB in its records', async (t) => {
    const picture = `data:image/png;base64,${'iVBORw0KGgo'.repeat(760_000)}`;
    const body = chunk('a') + chunk(picture) + chunk(picture, 'stop') + DONE;
    await passesWhole(t, 'chat/completions', body, body.replaceAll('"model":"real"', '"model":"alias"'));
  });
});

describe('a stream of images', { timeout: 60_000 }, () => {
  test('A2: passes records of 8 MB', async (t) => {
    const picture = 'iVBORw0KGgo'.repeat(760_000);
    const partial = event('image_generation.partial_image', { b64_json: picture, model: 'real' });
    const body = partial + event('image_generation.completed', { b64_json: picture, model: 'real' });
    await passesWhole(t, 'images/generations', body, body);
  });
});
