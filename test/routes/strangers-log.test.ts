import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRecord } from '../../src/json/value.ts';
import { startApp } from '../helpers/start-app.ts';

test('requests without a valid key get a share of the request log, so that they wash nobody out', async (t) => {
  let nowMs = Date.UTC(2026, 10, 30);
  const app = await startApp(t, { now: () => nowMs });
  const logged = async (): Promise<number> => {
    const response = await app.admin('GET', '/api/admin/requests?limit=1000');
    const body: unknown = await response.json();
    return isRecord(body) && Array.isArray(body['data']) ? body['data'].length : -1;
  };
  const knock = async (times: number): Promise<void> => {
    for (let count = 0; count < times; count++) {
      const answer = await app.v1('/v1/embeddings', {}, 'sk-unknown-key-of-a-stranger');
      assert.equal(answer.status, 401);
      await answer.arrayBuffer();
    }
  };
  await knock(80);
  assert.equal((await app.v1('/v1/embeddings', { model: 'none', input: 'a' })).status, 404);
  assert.equal(await logged(), 61);
  nowMs += 60_001;
  await knock(2);
  assert.equal(await logged(), 63);
});
