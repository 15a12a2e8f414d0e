import { before, describe } from 'node:test';
import { endsWithSuite, type RedisServer, redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { flushRedis, openRedisStore } from '../helpers/redis-store.ts';
import { describeStore } from '../store/store-contract.ts';

const skip = redisSkipped();

describe('a store in Redis', { skip }, () => {
  let redis: RedisServer;
  const suite = endsWithSuite();
  before(async () => {
    redis = await startRedis(suite);
  });
  describeStore('Redis', {
    open: async () => {
      await flushRedis(redis.url);
      return openRedisStore(redis.url);
    },
    reopen: async (store) => {
      await store.close();
      return openRedisStore(redis.url);
    },
  });
});
