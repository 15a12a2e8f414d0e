import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENDPOINTS, jsonEndpoint } from '../../src/gateway/endpoints.ts';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { MASTER_KEY, startApp } from '../helpers/start-app.ts';

test('one row adds an endpoint: route, spellings, authorisation, log line and relay', async (t) => {
  const voice = { id: 'voice_1', object: 'audio.voice' };
  const upstream = await startUpstream(t, json(voice));
  const app = await startApp(t, { endpoints: [...ENDPOINTS, jsonEndpoint('audio/voices')] });
  await app.addProvider({ id: 'up', baseUrl: `${upstream.origin}/v1` }, [
    { id: 'tts', upstreamModel: 'real' },
  ]);
  const body = { model: 'tts', name: 'mine' };
  for (const path of ['/v1/audio/voices', '/audio/voices', '/v1/v1/audio/voices/']) {
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    const answer = await fetch(`${app.origin}${path}`, init);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get('x-ipin-provider'), 'up');
    assert.deepEqual(await answer.json(), voice);
  }
  assert.deepEqual(
    upstream.received.map(({ url, body: sent }) => [url, JSON.parse(sent.toString())]),
    Array.from({ length: 3 }, () => ['/v1/audio/voices', { ...body, model: 'real' }]),
  );
  assert.equal((await app.v1('audio/voices', body, 'sk-nobody-knows-this-key-at-all')).status, 401);
  const lines = app.logs.map((line) => JSON.parse(line)).filter(({ path }) => path?.endsWith('voices'));
  assert.deepEqual(
    lines.map(({ status, model, outcome }) => [status, model ?? null, outcome]),
    [
      [200, 'tts', 'ok'],
      [200, 'tts', 'ok'],
      [401, null, 'error'],
    ],
  );
});
