import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Price } from '../../src/store/entities.ts';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { resolveToThisMachine } from '../helpers/own-name.ts';
import { type AppUnderTest, expectStatus, startApp } from '../helpers/start-app.ts';

/** Readers of prices go by host, so this name leads to the stand-in. */
const HOST = 'llm.chutes.ai';
const NOW = '2026-11-30T12:00:00.000Z';

interface Row {
  readonly id: string;
  readonly price?: Price | null;
  readonly effectivePrice?: Price & { readonly source: string | null; readonly asOf: string | null };
  readonly isLargeChange?: boolean;
}

interface Fixture {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  /** What the provider lists from now on: input prices by the models' names. */
  list(prices: Record<string, number | null>): void;
  rows(): Promise<readonly Row[]>;
  takeOver(models: unknown, status?: number): Promise<Record<string, unknown>>;
}

async function start(t: TestContext): Promise<Fixture> {
  resolveToThisMachine(t, HOST);
  const upstream = await startUpstream(t, json({ data: [] }));
  const app = await startApp(t, { now: () => Date.parse(NOW) });
  const baseUrl = `http://${HOST}:${new URL(upstream.origin).port}/v1`;
  await app.addProvider({ id: 'up', baseUrl }, [{ id: 'm' }]);
  const path = '/api/admin/providers/up';
  return {
    app,
    upstream,
    list(prices) {
      const entries = Object.entries(prices);
      const data = entries.map(([id, prompt]) => (prompt === null ? { id } : { id, pricing: { prompt } }));
      upstream.answer = json({ data });
    },
    rows: async () => {
      const answer = await expectStatus(200, await app.admin('GET', `${path}/upstream-models`));
      return (answer as { data: readonly Row[] }).data;
    },
    takeOver: async (models, status = 200) => {
      const answer = await app.admin('POST', `${path}/prices`, { models });
      return (await expectStatus(status, answer)) as Record<string, unknown>;
    },
  };
}

const price = (inputPerMTok: number): Price => ({ ...UNKNOWN_PRICE, inputPerMTok });
const storedPrices = ({ app }: Fixture) => app.services.store.config.view().providers.get('up')?.prices;
const errorOf = (answer: Record<string, unknown>) => answer['error'] as { param: string; message: string };

describe('the prices of a provider', { timeout: 30_000 }, () => {
  test('are listed where it tells them', async (t) => {
    const fixture = await start(t);
    fixture.list({ m: 1, silent: null });
    const effectivePrice = { ...UNKNOWN_PRICE, source: null, asOf: null };
    assert.deepEqual(await fixture.rows(), [
      { id: 'm', imported: true, price: price(1), effectivePrice, isLargeChange: false },
      { id: 'silent', imported: false },
    ]);
    assert.deepEqual(storedPrices(fixture), {});
  });

  test('are taken over as asked, and count for its models', async (t) => {
    const fixture = await start(t);
    fixture.list({ m: 1, other: 2 });
    const { data } = await fixture.takeOver(['m', 'm']);
    assert.deepEqual(data, [{ model: 'm', before: null, after: price(1) }]);
    assert.deepEqual(storedPrices(fixture), { m: { price: price(1), asOf: NOW } });
    const model = await expectStatus(200, await fixture.app.admin('GET', '/api/admin/models/m'));
    const shown = model as { price: unknown; effectivePrice: unknown };
    assert.deepEqual(shown.effectivePrice, { ...price(1), source: 'provider', asOf: NOW });
    assert.equal(shown.price, null);
    // The list of providers does not carry them.
    const list = await (await fixture.app.admin('GET', '/api/admin/providers')).text();
    assert.ok(!list.includes('inputPerMTok'));
  });

  test('are marked where they change by more than three times', async (t) => {
    const fixture = await start(t);
    fixture.list({ m: 1, other: 1 });
    await fixture.takeOver(['m', 'other']);
    fixture.list({ m: 4, other: 3 });
    assert.deepEqual(
      (await fixture.rows()).map((row) => [row.id, row.effectivePrice?.inputPerMTok, row.isLargeChange]),
      [
        ['m', 1, true],
        ['other', 1, false],
      ],
    );
    const { data } = await fixture.takeOver(['other']);
    assert.deepEqual(data, [{ model: 'other', before: price(1), after: price(3) }]);
    assert.equal(storedPrices(fixture)?.['m']?.price.inputPerMTok, 1);
  });

  test('are removed where it tells them no more', async (t) => {
    const fixture = await start(t);
    fixture.list({ m: 1 });
    await fixture.takeOver(['m']);
    fixture.list({ m: null });
    const [row] = await fixture.rows();
    assert.deepEqual([row?.price, row?.effectivePrice?.source], [null, 'provider']);
    assert.deepEqual((await fixture.takeOver(['m']))['data'], [
      { model: 'm', before: price(1), after: null },
    ]);
    assert.deepEqual(storedPrices(fixture), {});
  });

  test('are taken over all or not at all', async (t) => {
    const fixture = await start(t);
    fixture.list({ m: 1, silent: null });
    for (const models of [['m', 'silent'], ['m', 'gone'], 'm', [5], { m: 1 }]) {
      const error = errorOf(await fixture.takeOver(models, 400));
      assert.equal(error.param, 'models', JSON.stringify(models));
    }
    assert.equal(errorOf(await fixture.takeOver(undefined, 400)).param, 'models');
    assert.deepEqual((await fixture.takeOver([]))['data'], []);
    assert.deepEqual(storedPrices(fixture), {});
  });

  test('go with the host for which they were told', async (t) => {
    const fixture = await start(t);
    fixture.list({ m: 1 });
    await fixture.takeOver(['m']);
    const put = (baseUrl: string) => fixture.app.admin('PUT', '/api/admin/providers/up', { baseUrl });
    const { port } = new URL(fixture.upstream.origin);
    await expectStatus(200, await put(`http://${HOST}:${port}/v2`));
    assert.equal(storedPrices(fixture)?.['m']?.price.inputPerMTok, 1);
    await expectStatus(200, await put('https://elsewhere.example'));
    assert.deepEqual(storedPrices(fixture), {});
  });

  test('are not taken over if its address changed meanwhile', async (t) => {
    const fixture = await start(t);
    fixture.upstream.answer = (...args) => {
      void fixture.app
        .admin('PUT', '/api/admin/providers/up', { baseUrl: 'https://elsewhere.example' })
        .then(() => {
          json({ data: [{ id: 'm', pricing: { prompt: 1 } }] })(...args);
        });
    };
    assert.match(errorOf(await fixture.takeOver(['m'], 400)).message, /changed meanwhile/);
    assert.deepEqual(storedPrices(fixture), {});
  });

  test('of an unknown provider are not found', async (t) => {
    const { app } = await start(t);
    const answer = await app.admin('POST', '/api/admin/providers/nope/prices', { models: ['m'] });
    await expectStatus(404, answer);
  });
});

test('the shipped list', { timeout: 30_000 }, async (t) => {
  const app = await startApp(t);
  const { asOf, data } = (await expectStatus(200, await app.admin('GET', '/api/admin/prices'))) as {
    asOf: string;
    data: readonly Record<string, unknown>[];
  };
  assert.match(asOf, /^\d{4}-\d\d-\d\dT00:00:00\.000Z$/);
  const found = data.find(({ host, model }) => host === 'api.openai.com' && model === 'gpt-4o');
  const rates = { inputPerMTok: 2.5, outputPerMTok: 10, cachedInputPerMTok: 1.25 };
  assert.deepEqual(found, {
    host: 'api.openai.com',
    model: 'gpt-4o',
    grade: 'A',
    price: { ...UNKNOWN_PRICE, ...rates },
  });
  await app.addProvider({ id: 'o', baseUrl: 'https://api.openai.com/v1' }, [{ id: 'gpt-4o' }]);
  const model = (await expectStatus(200, await app.admin('GET', '/api/admin/models/gpt-4o'))) as Record<
    string,
    unknown
  >;
  assert.deepEqual(model['effectivePrice'], { ...UNKNOWN_PRICE, ...rates, source: 'list', asOf });
});
