import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { describeKey, generateKey } from '../auth/api-keys.ts';
import type { ApiKey, Model, Provider } from '../store/entities.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { newModel, newProvider } from '../store/new-records.ts';
import { UNKNOWN_PRICE } from '../store/price-amounts.ts';
import { newProviderKey } from '../store/provider-keys.ts';
import type { Store } from '../store/store.ts';
import { CHAT_PRICE, DEMO_MODELS } from './models.ts';
import { createDemoProvider } from './provider.ts';

export interface Demo {
  readonly store: Store;
  /** An API key of the proxy that may use every model. */
  readonly key: string;
}

/** Starts the demo providers on free loopback ports, and creates a throw-away store that holds them with their models. */
export async function startDemo(now: () => number): Promise<Demo> {
  const time = new Date(now()).toISOString();
  const providers = [
    await startProvider({ id: 'demo', name: 'Demo provider', time }),
    await startProvider({ id: 'demo-flaky', name: 'Demo provider that fails', time }, { fails: true }),
  ];
  const models = [...DEMO_MODELS.map((model) => demoModel(model, time)), flakyModel(time)];
  const key = generateKey(randomBytes);
  const initial = {
    providers: new Map(providers.map((provider) => [provider.id, provider])),
    models: new Map(models.map((model) => [model.id, model])),
    apiKeys: new Map([['key_demo', demoKey(key, time)]]),
  };
  return { store: createMemoryStore({ now, randomBytes, initial }), key };
}

/** Starts a provider and returns its record. */
async function startProvider(
  { time, ...fields }: { readonly id: string; readonly name: string; readonly time: string },
  options: { readonly fails?: boolean } = {},
): Promise<Provider> {
  const apiKey = generateKey(randomBytes);
  const server = createDemoProvider({ apiKey, ...options });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // Only the proxy keeps the process alive.
  server.unref();
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  return newProvider({ ...fields, baseUrl, keys: [newProviderKey(apiKey, randomBytes)] }, time);
}

/** The text that the demo prints once the proxy listens on `port`. */
export function demoInstructions(port: number, key: string): string {
  const base = `http://localhost:${port}`;
  const body = '{"model":"demo-chat","messages":[{"role":"user","content":"Hello!"}]}';
  return [
    '',
    'iPin Proxy runs with its built-in demo provider. Nothing is stored; Ctrl+C ends it.',
    '',
    `  Panel  ${base}/            sign in as admin / admin (works on this machine only)`,
    `  Chat   ${base}/chat.html   paste the key`,
    `  Key    ${key}`,
    '',
    'Try it:',
    '',
    `curl ${base}/v1/chat/completions \\`,
    '  -H "Content-Type: application/json" \\',
    `  -H "Authorization: Bearer ${key}" \\`,
    `  -d '${body}'`,
    '',
    'The model demo-flaky shows a fallback: its first provider fails three chats of four ("fail with 401" picks an error), then',
    'rests and is passed over for a while.',
    '',
    '',
  ].join('\n');
}

function demoKey(key: string, time: string): ApiKey {
  return {
    id: 'key_demo',
    name: 'Demo key',
    ...describeKey(key),
    enabled: true,
    models: null,
    userId: null,
    expiresAt: null,
    passThrough: false,
    limits: null,
    createdAt: time,
  };
}

function demoModel({ id, price }: (typeof DEMO_MODELS)[number], time: string): Model {
  const vision = id === 'demo-vision' || id === 'demo-ocr';
  return newModel({ id, providerId: 'demo', vision, price: { ...UNKNOWN_PRICE, ...price } }, time);
}

/** A model whose first provider fails and whose fallback does not. */
function flakyModel(time: string): Model {
  const price = { ...UNKNOWN_PRICE, ...CHAT_PRICE };
  const fallbacks = [{ providerId: 'demo', upstreamModel: 'demo-chat', weight: null, price }];
  return newModel(
    { id: 'demo-flaky', providerId: 'demo-flaky', upstreamModel: 'demo-chat', fallbacks, price },
    time,
  );
}
