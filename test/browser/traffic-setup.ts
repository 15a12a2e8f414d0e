import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { withEntity } from '../../src/store/changes.ts';
import type { Limits } from '../../src/store/entities.ts';
import { NO_LIMITS } from '../../src/store/limit-rules.ts';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import {
  type Answer,
  CHAT_ANSWER,
  type FakeUpstream,
  json,
  startUpstream,
} from '../helpers/fake-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { quickHash, SAMPLE_PASSWORD } from './sample-data.ts';

const HOUR_MS = 3_600_000;
const PRICE = { ...UNKNOWN_PRICE, inputPerMTok: 2, outputPerMTok: 10 };
/** 70,000 tokens, which cost `COST_USD`. */
const USAGE = { prompt_tokens: 50_000, completion_tokens: 20_000, total_tokens: 70_000 };

const COST_USD: Readonly<Record<string, number>> = { 'gpt-large': 0.3, 'gpt-small': 0.07 };

export const WORKS: Answer = json({ ...CHAT_ANSWER, usage: USAGE });
export const REFUSES: Answer = json({ error: { message: 'Incorrect API key provided', type: 'x' } }, 401);
export const BREAKS: Answer = json({ error: { message: 'Out of order', type: 'x' } }, 500);

/** What a place with traffic is called. */
export interface TrafficNames {
  readonly provider: string;
  readonly key: string;
  readonly user: string;
}

const NAMES: TrafficNames = { provider: 'First', key: 'Nightly batch', user: 'Maria Lindt' };

export interface Traffic {
  readonly app: AppUnderTest;
  /** Of the provider `one`, which serves all models. */
  readonly upstream: FakeUpstream;
  /** Sends a chat request, with the key of the user where none is named. */
  chat(model: string, key?: string): Promise<number>;
  /** What the user spent since the start of this month (UTC), in USD: the older requests may be of the month before. */
  spentThisMonthUsd(): number;
  readonly keys: { readonly own: string; readonly batch: string; readonly spent: string };
}

/**
 * An app with a provider, models with and without a price, a user `maria` with a budget of $20, and two keys with budgets, of
 * which one is nearly used up and one is. Requests were sent 30 hours ago and in the last hours.
 */
export async function startTraffic(t: TestContext, given: Partial<TrafficNames> = {}): Promise<Traffic> {
  const names = { ...NAMES, ...given };
  let agoMs = 30 * HOUR_MS;
  const now = (): number => Date.now() - agoMs;
  const app = await startApp(t, { now });
  const upstream = await startUpstream(t, WORKS);
  await app.addProvider(
    { id: 'one', name: names.provider, baseUrl: `${upstream.origin}/v1`, apiKey: 'sk-one-0123' },
    [
      { id: 'gpt-large', price: PRICE },
      { id: 'gpt-small', price: { ...PRICE, inputPerMTok: 1, outputPerMTok: 1 } },
      { id: 'no-price' },
    ],
  );
  await app.addProvider({ id: 'two', name: 'Second', baseUrl: 'https://two.example/v1' }, [{ id: 'other' }]);
  await addMaria(app, names.user, now);
  const keys = {
    own: await app.addKey({ name: 'Maria’s tablet', userId: 'maria' }),
    batch: await app.addKey({ name: names.key, limits: budget(1.4) }),
    spent: await app.addKey({ name: 'Physics class', limits: budget(0.2) }),
  };
  const spent: { readonly month: string; readonly usd: number }[] = [];
  const chat = async (model: string, key = keys.own): Promise<number> => {
    const messages = [{ role: 'user', content: 'Hello' }];
    const response = await app.v1('chat/completions', { model, messages }, key);
    await response.text();
    if (response.ok && key === keys.own) spent.push({ month: monthAt(now()), usd: COST_USD[model] ?? 0 });
    return response.status;
  };
  const spentThisMonthUsd = (): number => {
    const month = monthAt(Date.now());
    return spent.reduce((sum, call) => (call.month === month ? sum + call.usd : sum), 0);
  };
  assert.equal(await chat('gpt-large'), 200);
  for (const hours of [9, 8, 5, 0]) {
    agoMs = hours * HOUR_MS;
    assert.equal(await chat('gpt-large'), 200);
    assert.equal(await chat('gpt-small'), 200);
  }
  for (let count = 0; count < 4; count++) assert.equal(await chat('gpt-large', keys.batch), 200);
  assert.equal(await chat('no-price'), 200);
  assert.equal(await chat('gpt-large', keys.spent), 200);
  assert.equal(await chat('gpt-large', keys.spent), 429);
  return { app, upstream, chat, spentThisMonthUsd, keys };
}

function monthAt(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}

function budget(budgetUsd: number): Limits {
  return { ...NO_LIMITS, budgetUsd, budgetPeriod: 'month' };
}

async function addMaria(app: AppUnderTest, name: string, now: () => number): Promise<void> {
  const time = new Date(now()).toISOString();
  await changeConfig(app.services.store.config, (state) => ({
    state: withEntity(state, 'users', {
      id: 'maria',
      username: 'maria',
      name,
      enabled: true,
      models: null,
      limits: { ...budget(20), rpm: 60, concurrency: 5 },
      passwordHash: quickHash(SAMPLE_PASSWORD),
      createdAt: time,
      updatedAt: time,
    }),
    result: null,
  }));
}
