import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { type ChatProvider, startChatProvider } from '../helpers/chat-provider.ts';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeLimits } from '../helpers/limited-keys.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

type Json = Record<string, unknown>;

const NOW = Date.parse('2026-11-30T12:30:00Z');
const PRICE = { ...UNKNOWN_PRICE, inputPerMTok: 1, outputPerMTok: 10 };
/** Of 30 and 5 tokens. */
const COST_USD = 0.00008;
const HI = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 5 };

/** The same request in three protocols, of which the provider speaks the first alone. */
const WAYS: readonly (readonly [path: string, body: Json])[] = [
  ['chat/completions', HI],
  ['messages', HI],
  ['responses', { input: 'Hi', max_output_tokens: 5 }],
];

interface World {
  readonly app: AppUnderTest;
  readonly provider: ChatProvider;
  /** Moves the clock, which stands else. */
  wait(ms: number): void;
}

async function start(t: TestContext): Promise<World> {
  let nowMs = NOW;
  const provider = await startChatProvider(t, { content: 'Hello' });
  const broken = await startUpstream(t, json({ error: { message: 'down' } }, 500));
  const app = await startApp(t, { env: { UPSTREAM_RETRIES: '1' }, now: () => nowMs });
  const options = { responses: 'translate', messages: 'translate' } as const;
  const fallbacks = [{ providerId: 'up', upstreamModel: 'real', weight: null, price: PRICE }];
  await app.addProvider({ id: 'up', baseUrl: provider.origin, options }, [
    { id: 'm', price: PRICE },
    { id: 'other' },
  ]);
  await app.addProvider({ id: 'broken', baseUrl: broken.origin, options }, [{ id: 'falling', fallbacks }]);
  return {
    app,
    provider,
    wait: (ms) => {
      nowMs += ms;
    },
  };
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  const { status, body } = await answer.then(async (whole) => ({
    status: whole.status,
    body: await whole.text(),
  }));
  assert.notEqual(body, '');
  return status;
}

describe('limits hold whatever protocol the client speaks', { timeout: 60_000 }, () => {
  for (const [path, body] of WAYS) {
    for (const stream of [false, true]) {
      const ask = ({ app }: World, key: string, model = 'm'): Promise<Response> =>
        app.v1(path, { ...body, model, stream }, key);

      describe(`${path}${stream ? ', streamed' : ''}`, () => {
        test('models', async (t) => {
          const world = await start(t);
          const key = await world.app.addKey({ models: ['m', 'fall*'] });
          assert.equal(await statusOf(ask(world, key)), 200);
          assert.equal(await statusOf(ask(world, key, 'falling')), 200);
          assert.equal(await statusOf(ask(world, key, 'other')), 403);
          assert.equal(world.provider.chats().length, 2);
        });

        test('requests a minute', async (t) => {
          const world = await start(t);
          const key = await world.app.addKey({ limits: makeLimits({ rpm: 2 }) });
          const statuses = await Promise.all([1, 2, 3, 4].map(() => statusOf(ask(world, key))));
          assert.deepEqual(statuses.sort(), [200, 200, 429, 429]);
          world.wait(60_000);
          assert.equal(await statusOf(ask(world, key)), 200);
          assert.equal(world.provider.chats().length, 3);
        });

        test('tokens a minute, as they were used', async (t) => {
          const world = await start(t);
          const key = await world.app.addKey({ limits: makeLimits({ tpm: 70 }) });
          assert.equal(await statusOf(ask(world, key)), 200);
          const second = await ask(world, key);
          assert.equal(await statusOf(Promise.resolve(second)), 200);
          assert.equal(second.headers.get('x-ratelimit-limit-tokens'), '70');
          assert.equal(await statusOf(ask(world, key)), 429);
          assert.equal(world.provider.chats().length, 2);
        });

        for (const [name, limits] of [
          ['tokens', { budgetTokens: 35 }],
          ['money', { budgetUsd: COST_USD }],
        ] as const) {
          test(`a budget of ${name}, also over a fallback`, async (t) => {
            const world = await start(t);
            for (const model of ['m', 'falling']) {
              const key = await world.app.addKey({
                limits: makeLimits({ ...limits, budgetPeriod: 'day' }),
              });
              const asked = world.provider.chats().length;
              const first = await ask(world, key, model);
              assert.equal(first.headers.get('x-ipin-provider'), 'up');
              assert.equal(await statusOf(Promise.resolve(first)), 200);
              const spent = await ask(world, key, model);
              assert.deepEqual([spent.status, spent.headers.get('x-should-retry')], [429, 'false']);
              assert.equal(world.provider.chats().length, asked + 1);
            }
          });
        }

        test('what it used is in the books', async (t) => {
          const world = await start(t);
          for (const model of ['m', 'falling'])
            await (await ask(world, await world.app.addKey({}), model)).text();
          const { totals } = (await (await world.app.admin('GET', '/api/admin/usage')).json()) as {
            totals: Json;
          };
          assert.deepEqual(
            ['requests', 'promptTokens', 'cachedTokens', 'completionTokens', 'costUsd'].map(
              (name) => totals[name],
            ),
            [2, 60, 20, 10, 2 * COST_USD],
          );
        });
      });
    }
  }
});
