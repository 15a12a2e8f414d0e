import type { TestContext } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, expectStatus, startApp } from '../helpers/start-app.ts';

const USAGE = { prompt_tokens: 1000, completion_tokens: 200, total_tokens: 1200 };
/** What a provider answers. */
export const GOOD = json({ ...CHAT_ANSWER, usage: USAGE });
export const BUSY = json(
  { error: { message: 'Slow down', type: 'rate_limit_error', code: 'slow_down' } },
  429,
);

/** Two providers, of which the second helps out, and three models: with a price, free, and without a price. */
export interface Calls {
  readonly app: AppUnderTest;
  readonly first: FakeUpstream;
  /** A key by the name of Maria's laptop. */
  readonly key: string;
  /** Asks a model as that key, or as the master. */
  call(model: string, key?: string): Promise<void>;
}

export async function startCalls(t: TestContext): Promise<Calls> {
  const first = await startUpstream(t, GOOD);
  const second = await startUpstream(t, GOOD);
  const app = await startApp(t, { env: { UPSTREAM_RETRIES: '2' } });
  const price = { ...UNKNOWN_PRICE, inputPerMTok: 2, outputPerMTok: 10 };
  const helper = { providerId: 'second', upstreamModel: 'helper', weight: null, price };
  await app.addProvider({ id: 'second', name: 'Second', baseUrl: `${second.origin}/v1` }, []);
  await app.addProvider(
    { id: 'first', name: 'First', baseUrl: `${first.origin}/v1`, apiKey: 'first-key-0123456789' },
    [
      { id: 'priced', price, fallbacks: [helper] },
      { id: 'free', price: { ...UNKNOWN_PRICE, inputPerMTok: 0, outputPerMTok: 0 } },
      { id: 'unpriced' },
    ],
  );
  const key = await app.addKey({ name: 'Maria’s laptop' });
  return {
    app,
    first,
    key,
    async call(model, as) {
      const body = { model, messages: [{ role: 'user', content: 'Hello' }] };
      await expectStatus(200, await app.v1('chat/completions', body, as));
    },
  };
}
