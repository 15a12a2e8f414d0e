import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { startInstances } from '../helpers/instances.ts';
import { recordOf } from '../helpers/limited-keys.ts';
import { redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { type AppUnderTest, expectStatus, signIn, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };

async function headersOf(origin: string): Promise<Record<string, string>> {
  const authorization = `Bearer ${await signIn(origin)}`;
  const passphrase = encodeURIComponent('correct horse battery');
  return { authorization, 'content-type': 'application/json', 'x-backup-passphrase': passphrase };
}

async function load({ origin }: AppUnderTest): Promise<string> {
  const answer = await fetch(`${origin}/api/admin/backup`, { headers: await headersOf(origin) });
  assert.equal(answer.status, 200);
  return answer.text();
}

async function restore({ origin }: AppUnderTest, body: string): Promise<void> {
  const request = { method: 'POST', headers: await headersOf(origin), body };
  await expectStatus(200, await fetch(`${origin}/api/admin/restore`, request));
}

async function chat(app: AppUnderTest, key: string): Promise<number> {
  return (await app.v1('chat/completions', CHAT, key)).status;
}

describe('backups with Redis', { skip: redisSkipped(), timeout: 60_000 }, () => {
  test('one leads back to a process of its own, and from there to all instances', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const redis = await startRedis(t);
    const instances = await startInstances(t, { url: redis.url });
    const [first, second] = instances;
    await first.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'sk-up' }, [{ id: 'm' }]);
    const key = await first.addKey({});
    const alone = await startApp(t);
    await until(() => second.services.store.config.view().apiKeys.size === 1, 'the second knows it');
    await restore(alone, await load(second));
    assert.equal(await chat(alone, key), 200);
    const added = await alone.addKey({});
    await restore(second, await load(alone));
    const { id } = recordOf(alone, added);
    const isKnown = ({ services }: AppUnderTest): boolean => services.store.config.view().apiKeys.has(id);
    await until(() => instances.every(isKnown), 'all know what was restored');
    for (const instance of instances) assert.equal(await chat(instance, added), 200);
    for (const { headers } of upstream.received) assert.equal(headers['authorization'], 'Bearer sk-up');
  });
});
