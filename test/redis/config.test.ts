import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { before, beforeEach, describe, test } from 'node:test';
import type { RedisStore } from '../../src/redis/redis-store.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import { DocumentCodec, parseRawDocument } from '../../src/store/document.ts';
import { StoreStartError } from '../../src/store/document-error.ts';
import { createSealer } from '../../src/store/secrets.ts';
import { makeProvider, secretOf } from '../helpers/records.ts';
import { endsWithSuite, type RedisServer, redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { connectEngine, flushRedis, openRedisStore } from '../helpers/redis-store.ts';
import { until } from '../helpers/until.ts';
import { makeApiKey, withApiKey } from '../store/store-contract.ts';

const OLD_KEY = 'the first long key';
const NEW_KEY = 'the other long key';
const EMPTY_DOCUMENT = { generation: 1, savedAt: '2026-03-01T12:00:00.000Z', sessions: [], numbers: [] };
const CANARY = 'sk-canary-provider-key';

describe('the configuration in Redis', { skip: redisSkipped(), timeout: 60_000 }, () => {
  let redis: RedisServer;
  const suite = endsWithSuite();
  before(async () => {
    redis = await startRedis(suite);
  });
  beforeEach(() => flushRedis(redis.url));

  async function openSealed(key: string, previousKey: string | null = null): Promise<RedisStore> {
    const engine = await connectEngine(redis.url);
    const codec = new DocumentCodec(createSealer({ key, previousKey, randomBytes }));
    return openRedisStore(redis.url, { engine, codec, isEncrypted: true });
  }

  async function addProvider(store: RedisStore): Promise<void> {
    const provider = makeProvider({
      id: 'up',
      baseUrl: 'https://up.example/v1',
      apiKey: CANARY,
      createdAt: '2026-03-01T12:00:00.000Z',
      updatedAt: '2026-03-01T12:00:00.000Z',
    });
    await changeConfig(store.config, (state) => ({
      state: { ...state, providers: new Map(state.providers).set('up', provider) },
      result: null,
    }));
  }

  async function previousOf(): Promise<string[]> {
    const engine = await connectEngine(redis.url);
    const texts = (await engine.command(['LRANGE', '{ipin}:config:previous', '0', '-1'])) as string[];
    engine.close();
    return texts;
  }

  test('the previous five versions are kept, the newest first', async () => {
    const store = await openRedisStore(redis.url);
    for (let index = 1; index <= 8; index += 1) {
      await changeConfig(store.config, withApiKey(makeApiKey(`k${index}`)));
    }
    const counts = (await previousOf()).map((text) => {
      return new DocumentCodec(null).decode(parseRawDocument(Buffer.from(text)).object).config.apiKeys.size;
    });
    assert.deepEqual(counts, [7, 6, 5, 4, 3]);
    await store.close();
  });

  test('an engine that falls behind gets back what was confirmed; another history is taken over, without a message', async () => {
    const stores = [await openRedisStore(redis.url), await openRedisStore(redis.url)] as const;
    const engine = await connectEngine(redis.url);
    const stored = async (): Promise<string[]> =>
      (await engine.command(['HMGET', '{ipin}:config', 'version', 'document'])) as string[];
    const put = ([version = '', document = '']: readonly string[]): Promise<unknown> =>
      engine.command(['HSET', '{ipin}:config', 'version', version, 'document', document]);
    const showAll = (id: string): Promise<void> =>
      until(() => stores.every(({ config }) => config.view().apiKeys.has(id)), `all show ${id}`);
    await changeConfig(stores[0].config, withApiKey(makeApiKey('a')));
    await showAll('a');
    const behind = await stored();
    await changeConfig(stores[0].config, withApiKey(makeApiKey('b')));
    await showAll('b');
    await put(behind);
    await changeConfig(stores[1].config, withApiKey(makeApiKey('c')));
    await showAll('c');
    assert.deepEqual([...stores[1].config.view().apiKeys.keys()], ['a', 'b', 'c']);
    // Somebody else's document under a version that these instances have seen with another one.
    const [, document = ''] = await stored();
    const other = new DocumentCodec(null).decode(parseRawDocument(Buffer.from(document)).object);
    const config = withApiKey(makeApiKey('d'))({ ...other.config, apiKeys: new Map() }).state;
    const { bytes } = new DocumentCodec(null).encode({ ...EMPTY_DOCUMENT, config });
    await put(['2', bytes.toString()]);
    await showAll('d');
    assert.deepEqual([...stores[0].config.view().apiKeys.keys()], ['d']);
    for (const one of stores) await one.close();
    engine.close();
  });

  test('provider keys are sealed; with another key they stay closed and are not overwritten', async () => {
    const store = await openSealed(OLD_KEY);
    await addProvider(store);
    assert.doesNotMatch((await redis.dump()).join(), new RegExp(CANARY));
    const wrong = await openSealed(NEW_KEY);
    assert.equal(secretOf(wrong.config.view().providers.get('up')), null);
    await changeConfig(wrong.config, withApiKey(makeApiKey('a')));
    await until(() => store.config.view().apiKeys.has('a'), 'the first sees the change of the second');
    assert.equal(secretOf(store.config.view().providers.get('up')), CANARY);
    for (const one of [store, wrong]) await one.close();
  });

  test('with a new key, the document and its previous versions are sealed anew', async () => {
    const store = await openSealed(OLD_KEY);
    await addProvider(store);
    await changeConfig(store.config, withApiKey(makeApiKey('a')));
    await store.close();
    await (await openSealed(NEW_KEY, OLD_KEY)).close();
    const later = await openSealed(NEW_KEY);
    assert.equal(secretOf(later.config.view().providers.get('up')), CANARY);
    await later.close();
    const codec = new DocumentCodec(createSealer({ key: NEW_KEY, previousKey: null, randomBytes }));
    const [newest = assert.fail()] = await previousOf();
    const { config } = codec.decode(parseRawDocument(Buffer.from(newest)).object);
    assert.equal(secretOf(config.providers.get('up')), CANARY);
  });

  test('a document that cannot be used changes nothing, is shown, and stops a start', async () => {
    const engine = await connectEngine(redis.url);
    const store = await openRedisStore(redis.url, { engine });
    await changeConfig(store.config, withApiKey(makeApiKey('a')));
    const good = (await engine.command(['HGET', '{ipin}:config', 'document'])) as string;
    await engine.command(['HSET', '{ipin}:config', 'version', '90', 'document', good.replace('"a"', '"b"')]);
    await engine.flush();
    assert.ok(store.config.view().apiKeys.has('a'));
    assert.equal(store.status().state, 'failing');
    assert.match(store.status().message, /its checksum does not fit/);
    await assert.rejects(openRedisStore(redis.url), StoreStartError);
    await engine.command(['HSET', '{ipin}:config', 'version', '91', 'document', good]);
    await engine.flush();
    assert.equal(store.status().state, 'ok');
    await changeConfig(store.config, withApiKey(makeApiKey('c')));
    assert.equal(store.config.view().version, 92);
    await store.close();
  });

  test('a change whose message is lost is seen with the next beat; what did not change stays the same object', async () => {
    const one = await openRedisStore(redis.url);
    const engine = await connectEngine(redis.url);
    const other = await openRedisStore(redis.url, { engine });
    await changeConfig(one.config, withApiKey(makeApiKey('a')));
    await engine.flush();
    const { providers, apiKeys } = other.config.view();
    // As if its subscription had been lost: the version rises, and nobody is told.
    await engine.command(['HINCRBY', '{ipin}:config', 'version', '1']);
    const before = other.config.view().version;
    await engine.flush();
    assert.equal(other.config.view().version, before + 1);
    assert.equal(other.config.view().providers, providers);
    assert.equal(other.config.view().apiKeys.get('a'), apiKeys.get('a'));
    for (const store of [one, other]) await store.close();
  });

  test('a lost subscription is made anew', async () => {
    const engine = await connectEngine(redis.url);
    const other = await openRedisStore(redis.url, { engine });
    const one = await openRedisStore(redis.url);
    await engine.command(['CLIENT', 'KILL', 'TYPE', 'pubsub']).catch(() => {});
    await until(() => engine.isReady && engine.epoch.endsWith('.2'), 'it is connected again');
    await changeConfig(one.config, withApiKey(makeApiKey('a')));
    await until(() => other.config.view().apiKeys.has('a'), 'it sees the change');
    for (const store of [one, other]) await store.close();
  });
});

test('an engine that is too old is refused with one line', async (t) => {
  const info = '# Server\r\nredis_version:6.2.14\r\n';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const command of data
        .toString()
        .split(/^\*\d+\r\n/m)
        .slice(1)) {
        socket.write(command.startsWith('$4\r\nINFO') ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  await assert.rejects(connectEngine(`redis://127.0.0.1:${address.port}`), {
    name: 'StoreStartError',
    message: 'REDIS_URL leads to redis 6.2.14; Redis or Valkey 7 or newer is needed.',
  });
});
