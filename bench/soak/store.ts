import { makeStore, signIn, startProxy } from '../proxy-setup.ts';

/** Providers without an answer for this long count as failed; the provider's `slow` takes longer. */
const HEADERS_TIMEOUT_MS = 5_000;

/** How many keys each provider has. */
const PROVIDERS: readonly (readonly [id: string, keys: number])[] = [
  ['first', 3],
  ['second', 2],
  ['last', 0],
];

/**
 * Makes a database with the model `soak`: two providers with several keys share its load, and a third one, without a key,
 * steps in for them.
 * @returns the API key for the calls.
 */
export async function makeSoakStore(dbPath: string, upstreamPort: number): Promise<string> {
  const key = await makeStore({ dbPath, upstreamPort });
  const proxy = await startProxy({ dbPath, logLevel: 'warn' });
  try {
    const { post } = await signIn(proxy.port);
    for (const [id, count] of PROVIDERS) {
      const baseUrl = `http://127.0.0.1:${upstreamPort}/${id}/v1`;
      await post('providers', { id, name: id, baseUrl, options: { headersTimeoutMs: HEADERS_TIMEOUT_MS } });
      for (let index = 0; index < count; index++) {
        await post(`providers/${id}/keys`, { apiKey: `upstream-key-${id}-${index}` });
      }
    }
    const fallbacks = [
      { providerId: 'second', upstreamModel: 'soak-second', weight: 1 },
      { providerId: 'last', upstreamModel: null, weight: null },
    ];
    await post('models', { id: 'soak', name: 'Soak', providerId: 'first', weight: 2, fallbacks });
    return key;
  } finally {
    await proxy.stop();
  }
}
