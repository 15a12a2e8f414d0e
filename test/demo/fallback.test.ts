import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDemo } from '../../src/demo/start.ts';
import { startApp } from '../helpers/start-app.ts';

test('the demo shows a fallback: each chat is answered, by the failing provider every fourth time', {
  timeout: 20_000,
}, async (t) => {
  let nowMs = Date.UTC(2026, 0, 31, 12);
  const now = (): number => nowMs;
  const demo = await startDemo(now);
  const app = await startApp(t, { store: demo.store, now, env: { UPSTREAM_RETRIES: '2' } });
  const ask = async (content: string, stream: boolean): Promise<string> => {
    const body = { model: 'demo-flaky', stream, messages: [{ role: 'user', content }] };
    const answer = await app.v1('chat/completions', body, demo.key);
    assert.match(await answer.text(), stream ? /\[DONE\]\n\n$/ : /"finish_reason":"stop"/);
    return `${answer.status} ${answer.headers.get('x-ipin-provider')} ${answer.headers.get('x-ipin-attempts')}`;
  };
  for (const stream of [false, true]) {
    const seen = [];
    for (let count = 0; count < 4; count++) {
      seen.push(await ask('Say yes', stream));
      // The provider asked for three seconds of rest.
      nowMs += 4_000;
    }
    assert.deepEqual(seen, ['200 demo 2', '200 demo 2', '200 demo 2', '200 demo-flaky 1']);
  }
  assert.equal(await ask('Say: fail with 401', false), '200 demo 2');
  assert.equal(await ask('Say yes', false), '200 demo 1', 'its key rests');
});

test('the demo’s calls cost something, so that the panel has money to show', {
  timeout: 20_000,
}, async (t) => {
  const demo = await startDemo(Date.now);
  const app = await startApp(t, { store: demo.store, env: { UPSTREAM_RETRIES: '2' } });
  let wanted = 0;
  for (const model of ['demo-chat', 'demo-flaky']) {
    const body = { model, messages: [{ role: 'user', content: 'Say yes' }] };
    const answer = await app.v1('chat/completions', body, demo.key);
    const { usage }: { usage: { prompt_tokens: number; completion_tokens: number } } = JSON.parse(
      await answer.text(),
    );
    wanted += usage.prompt_tokens + 4 * usage.completion_tokens;
  }
  const usage = await app.admin('GET', '/api/admin/usage');
  const { totals }: { totals: { costUsd: number } } = JSON.parse(await usage.text());
  assert.equal(Math.round(totals.costUsd * 1e6), wanted);
  assert.ok(wanted > 0);
});
