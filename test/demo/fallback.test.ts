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
