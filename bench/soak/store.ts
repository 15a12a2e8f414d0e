import { readFileSync, writeFileSync } from 'node:fs';
import { makeStore } from '../proxy-setup.ts';

/** Providers without an answer for this long count as failed; the provider's `slow` takes longer. */
const HEADERS_TIMEOUT_MS = 2_000;
const TIME = '2030-01-01T00:00:00.000Z';

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
  const { checksum: _, ...file } = JSON.parse(readFileSync(dbPath, 'utf8'));
  const times = { createdAt: TIME, updatedAt: TIME };
  for (const [id, count] of PROVIDERS) {
    const keys = Array.from({ length: count }, (_key, index) => {
      return { id: `key_${index}`, secret: `upstream-key-${id}-${index}`, enabled: true };
    });
    file.providers.push({
      id,
      name: id,
      baseUrl: `http://127.0.0.1:${upstreamPort}/${id}/v1`,
      type: 'openai',
      enabled: true,
      keys,
      options: { headersTimeoutMs: HEADERS_TIMEOUT_MS },
      ...times,
    });
  }
  file.models.push({
    id: 'soak',
    name: 'Soak',
    providerId: 'first',
    enabled: true,
    weight: 2,
    fallbacks: [
      { providerId: 'second', upstreamModel: 'soak-second', weight: 1 },
      { providerId: 'last', upstreamModel: null, weight: null },
    ],
    ...times,
  });
  writeFileSync(dbPath, JSON.stringify(file));
  return key;
}
