import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ENV_NAMES } from '../../src/config.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type Instance, startInstances } from '../helpers/instances.ts';
import { nginxSkipped, startNginxWith } from '../helpers/nginx.ts';
import { redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };

describe('deploy/', () => {
  test('the compose file sets variables that exist, and builds the image with the client', () => {
    const compose = read('deploy/compose.yaml');
    const [, block = ''] = /environment:\n((?: {6}.*\n)+)/.exec(compose) ?? [];
    const names = [...block.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name]) => name ?? '');
    assert.deepEqual(
      names.filter((name) => !ENV_NAMES.includes(name)),
      [],
    );
    assert.ok(names.includes('REDIS_URL'));
    assert.match(compose, /WITH_REDIS: ["']1["']/);
    const dockerfile = read('Dockerfile');
    assert.match(dockerfile, /^ARG WITH_REDIS=0$/m);
    for (const name of ['redis', '@redis']) assert.ok(dockerfile.includes(` node_modules/${name} `));
    assert.match(compose, /--appendonly yes/);
    assert.match(compose, /noeviction/);
  });

  const skip = redisSkipped() || nginxSkipped();
  test('behind nginx with its configuration, three instances are one', {
    skip,
    timeout: 60_000,
  }, async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const redis = await startRedis(t);
    const instances = await startInstances(t, { url: redis.url, env: { TRUST_PROXY_HOPS: '1' } });
    await instances[0].addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const key = await instances[0].addKey({ limits: { rpm: 9 } });
    const isKnown = ({ services }: Instance): boolean => services.store.config.view().apiKeys.size === 1;
    await until(() => instances.every(isKnown), 'all know the key');
    const servers = instances.map(({ port }) => `server 127.0.0.1:${port};`).join(' ');
    // Older versions of nginx do not follow names.
    const site = read('deploy/nginx.conf')
      .replace(/^resolver .*$/m, '')
      .replace('server proxy:3000 resolve;', servers);
    const origin = await startNginxWith(t, (port) =>
      site.replace('listen 8080;', `listen 127.0.0.1:${port};`),
    );
    const token = await signIn(origin);
    const calls = Array.from({ length: 30 }, async () => {
      const answer = await fetch(`${origin}/v1/chat/completions`, jsonRequest('POST', `Bearer ${key}`, CHAT));
      await answer.arrayBuffer();
      return answer.status;
    });
    const statuses = await Promise.all(calls);
    assert.equal(statuses.filter((status) => status === 200).length, 9);
    for (let index = 0; index < 6; index += 1) {
      await expectStatus(200, await fetch(`${origin}/api/admin/me`, jsonRequest('GET', `Bearer ${token}`)));
    }
    const served = instances.filter(({ logs }) => logs.some((line) => line.includes('/v1/chat/completions')));
    assert.equal(served.length, 3, 'all three were asked');
  });
});
