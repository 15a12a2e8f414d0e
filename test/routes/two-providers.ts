import type { TestContext } from 'node:test';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

export const KEYS = { one: 'provider-key-number-one', two: 'provider-key-number-two' } as const;

interface TwoProviders {
  readonly app: AppUnderTest;
  readonly one: FakeUpstream;
  readonly two: FakeUpstream;
}

/** Two providers with different keys, a model at each under its own name, and one under another. */
export async function startTwoProviders(t: TestContext): Promise<TwoProviders> {
  const one = await startUpstream(t, json(CHAT_ANSWER));
  const two = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
  await app.addProvider({ id: 'one', baseUrl: one.origin, apiKey: KEYS.one }, [
    { id: 'model-1', name: 'Model One' },
    { id: 'alias', upstreamModel: 'vendor/real:1' },
    { id: 'meta-llama/Llama-3', vision: true },
  ]);
  await app.addProvider({ id: 'two', baseUrl: `${two.origin}/v1`, apiKey: KEYS.two }, [
    { id: 'model-2' },
    { id: 'off', enabled: false },
  ]);
  await app.addProvider({ id: 'closed', baseUrl: two.origin, enabled: false }, [{ id: 'hidden' }]);
  return { app, one, two };
}
