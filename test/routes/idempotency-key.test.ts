import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const BODY = JSON.stringify({ model: 'm', messages: [] });

async function send(
  { app, upstream }: { app: AppUnderTest; upstream: FakeUpstream },
  key: string,
  value: string,
): Promise<string | undefined> {
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'idempotency-key': value,
  };
  const answer = await fetch(`${app.origin}/v1/chat/completions`, { method: 'POST', headers, body: BODY });
  await expectStatus(200, answer);
  return upstream.received.at(-1)?.headers['idempotency-key'] as string | undefined;
}

describe('idempotency-key', { timeout: 30_000 }, () => {
  test('B10: is another one for each key, and the same for the same one', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t);
    await app.addProvider({ id: 'p', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const user = { username: 'ann', password: 'open sesame 1' };
    const { id: userId } = (await expectStatus(201, await app.admin('POST', '/api/admin/users', user))) as {
      id: string;
    };
    const keys = { one: await app.addKey({}), two: await app.addKey({}), master: MASTER_KEY };
    const anns = [await app.addKey({ userId }), await app.addKey({ userId })];
    const under = { app, upstream };
    const sent = new Map<string, string | undefined>();
    for (const [name, key] of Object.entries(keys)) sent.set(name, await send(under, key, 'retry-1'));
    for (const [index, key] of anns.entries()) sent.set(`ann ${index}`, await send(under, key, 'retry-1'));
    for (const value of sent.values()) assert.match(value ?? '', /^[\da-f]{16}-retry-1$/);
    assert.equal(new Set(sent.values()).size, 5, JSON.stringify([...sent]));
    assert.equal(await send(under, keys.one, 'retry-1'), sent.get('one'));
    assert.notEqual(await send(under, keys.one, 'retry-2'), sent.get('one'));
    const ids = [...app.services.store.config.view().apiKeys.values()].flatMap((key) => [key.id, key.digest]);
    const everything = [...sent.values()].join(' ');
    for (const secret of [...Object.values(keys), ...anns, ...ids, userId]) {
      assert.ok(!everything.includes(secret.slice(0, 16)), secret);
    }
  });

  test('B10: keeps to what a provider takes: 255 visible characters, and none for an empty one', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t);
    await app.addProvider({ id: 'p', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const under = { app, upstream };
    const longest = 'x'.repeat(238);
    assert.match((await send(under, MASTER_KEY, longest)) ?? '', /^[\da-f]{16}-x{238}$/);
    const values = [`${longest}x`, `${longest}y`, 'a'.repeat(8000), 'with a space', 'caf\u00e9'];
    const sent = new Set<string>();
    for (const value of values) {
      const passed = (await send(under, MASTER_KEY, value)) ?? '';
      assert.match(passed, /^[\da-f]{16}-[\da-f]{64}$/);
      assert.equal(await send(under, MASTER_KEY, value), passed);
      sent.add(passed);
    }
    assert.equal(sent.size, values.length);
    assert.equal(await send(under, MASTER_KEY, ''), undefined);
  });

  test('B10: is prefixed in forms and for a session as well', async (t) => {
    const upstream = await startUpstream(t, json({ text: 'Hi' }));
    const app = await startApp(t);
    await app.addProvider({ id: 'p', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const form = new FormData();
    form.append('model', 'm');
    form.append('file', new Blob([Buffer.alloc(100_000, 1)], { type: 'audio/mpeg' }), 'a.mp3');
    const headers = { authorization: `Bearer ${MASTER_KEY}`, 'idempotency-key': 'retry-1' };
    const url = `${app.origin}/v1/audio/transcriptions`;
    await expectStatus(200, await fetch(url, { method: 'POST', headers, body: form }));
    const login = await fetch(`${app.origin}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: app.config.uiUsername, password: app.config.uiPassword }),
    });
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    upstream.answer = json(CHAT_ANSWER);
    const answer = await fetch(`${app.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', 'idempotency-key': 'retry-1' },
      body: BODY,
    });
    await expectStatus(200, answer);
    const [first, second] = upstream.received.map((request) => request.headers['idempotency-key']);
    for (const value of [first, second]) assert.match(String(value), /^[\da-f]{16}-retry-1$/);
    assert.notEqual(first, second, 'the master key is not the admin');
  });
});
