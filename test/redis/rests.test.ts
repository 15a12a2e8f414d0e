import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { responseFailure } from '../../src/gateway/failure.ts';
import { Health } from '../../src/gateway/health.ts';
import type { Aim } from '../../src/gateway/rest-names.ts';
import { SharedHealth } from '../../src/redis/shared-health.ts';
import { redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { connectEngine } from '../helpers/redis-store.ts';
import { until } from '../helpers/until.ts';

const BUSY = { message: 'busy', type: null, param: null, code: null };

describe('rests over several instances', { skip: redisSkipped(), timeout: 60_000 }, () => {
  test('a model whose name looks like a message of its own rests under its whole name, and no other does', async (t) => {
    const redis = await startRedis(t);
    const open = async (): Promise<Health> => {
      const engine = await connectEngine(redis.url);
      t.after(() => engine.close());
      const share = new SharedHealth(engine);
      await engine.add(share);
      return new Health(Date.now, share);
    };
    const health = await open();
    const other = await open();
    const aimOf = (upstreamModel: string): Aim => ({ providerId: 'p', keyId: 'k', upstreamModel });
    const told = '{"isBlocking":true,"error":null}';
    const names = [`m\x00600000\0${told}`, `600000\0${told}\0p\nkey\nk\nm`, '\0', 'm\n\0m'];
    for (const name of names) {
      const failure = responseFailure(
        { status: 429, headers: { 'retry-after': '60' }, error: BUSY },
        'p',
        Date.now(),
      );
      health.failed(health.begin(aimOf(name)), failure);
    }
    const rests = (name: string): boolean => other.stateOf(aimOf(name)).kind !== 'free';
    await until(() => names.every(rests), 'all rest at the other');
    assert.equal(rests('m'), false);
    const third = await open();
    await until(() => names.every((name) => third.stateOf(aimOf(name)).kind !== 'free'), 'and at a new one');
    assert.equal(third.stateOf(aimOf('m')).kind, 'free');
  });
});
