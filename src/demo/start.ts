import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { describeKey, generateKey } from '../auth/api-keys.ts';
import type { ApiKey, Model } from '../store/entities.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { newModel, newProvider } from '../store/new-records.ts';
import { newProviderKey } from '../store/provider-keys.ts';
import type { Store } from '../store/store.ts';
import { DEMO_MODEL_IDS } from './models.ts';
import { createDemoProvider } from './provider.ts';

export interface Demo {
  readonly store: Store;
  /** An API key of the proxy that may use every model. */
  readonly key: string;
}

/** Starts the demo provider on a free loopback port, and creates a throw-away store that holds it with its models. */
export async function startDemo(now: () => number): Promise<Demo> {
  const providerKey = generateKey(randomBytes);
  const server = createDemoProvider({ apiKey: providerKey });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // Only the proxy keeps the process alive.
  server.unref();
  const { port } = server.address() as AddressInfo;
  const time = new Date(now()).toISOString();
  const provider = newProvider(
    {
      id: 'demo',
      name: 'Demo provider',
      baseUrl: `http://127.0.0.1:${port}/v1`,
      keys: [newProviderKey(providerKey, randomBytes)],
    },
    time,
  );
  const key = generateKey(randomBytes);
  const initial = {
    providers: new Map([[provider.id, provider]]),
    models: new Map(DEMO_MODEL_IDS.map((id) => [id, demoModel(id, time)])),
    apiKeys: new Map([['key_demo', demoKey(key, time)]]),
  };
  return { store: createMemoryStore({ now, randomBytes, initial }), key };
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
    createdAt: time,
  };
}

function demoModel(id: string, time: string): Model {
  const vision = id === 'demo-vision' || id === 'demo-ocr';
  return newModel({ id, providerId: 'demo', vision }, time);
}
