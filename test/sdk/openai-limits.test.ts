import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI from 'openai';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeCall } from '../helpers/limited-keys.ts';
import { startApp } from '../helpers/start-app.ts';

const CHAT = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] };

describe('limits in the openai package', { timeout: 30_000 }, () => {
  test('it waits for Retry-After and succeeds by itself', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    let shiftMs = 0;
    const app = await startApp(t, { now: () => Date.now() + shiftMs });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const apiKey = await app.addKey({ limits: { rpm: 1 } });
    const statuses: number[] = [];
    const client = new OpenAI({
      apiKey,
      baseURL: `${app.origin}/v1`,
      maxRetries: 2,
      async fetch(url, init) {
        const answer = await fetch(url, init);
        statuses.push(answer.status);
        return answer;
      },
    });
    await client.chat.completions.create(CHAT);
    // Half a second before the window opens.
    shiftMs = 59_500;
    const answer = await client.chat.completions.create(CHAT);
    assert.equal(answer.choices[0]?.message.content, 'Hi');
    assert.deepEqual(statuses, [200, 429, 200]);
    assert.equal(upstream.received.length, 2);
  });

  test('it does not ask again for a budget that is used up', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const apiKey = await app.addKey({ limits: { budgetTokens: 5 } });
    makeCall(app, apiKey, { tokens: 5, costNanoUsd: 0 });
    let asked = 0;
    const client = new OpenAI({
      apiKey,
      baseURL: `${app.origin}/v1`,
      maxRetries: 3,
      fetch(url, init) {
        asked += 1;
        return fetch(url, init);
      },
    });
    const error: unknown = await client.chat.completions.create(CHAT).catch((reason: unknown) => reason);
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.deepEqual(
      [error.code, error.type, error.param],
      ['insufficient_quota', 'insufficient_quota', 'budget'],
    );
    assert.match(error.message, /5 of 5 tokens this month/);
    assert.deepEqual([asked, upstream.received.length], [1, 0]);
  });
});
