import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { describeKey, generateKey } from '../auth/api-keys.ts';
import type { ApiKey, Model, Provider } from '../store/entities.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { Store } from '../store/store.ts';
import { DEMO_MODEL_IDS } from './models.ts';
import { createDemoProvider } from './provider.ts';

export interface Demo {
  readonly store: Store;
  /** A key of the proxy that may use every demo model. */
  readonly key: string;
}

/** Starts the demo provider on a free loopback port, and a throw-away store in which it is set up. */
export async function startDemo(now: () => number): Promise<Demo> {
  const providerKey = generateKey(randomBytes);
  const server = createDemoProvider({ apiKey: providerKey });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // The demo ends with the proxy, not the other way round.
  server.unref();
  const { port } = server.address() as AddressInfo;
  const time = new Date(now()).toISOString();
  const provider: Provider = {
    id: 'demo',
    name: 'Demo provider',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKey: providerKey,
    unreadableApiKey: null,
    type: 'openai',
    enabled: true,
    options: {},
    createdAt: time,
    updatedAt: time,
  };
  const key = generateKey(randomBytes);
  const apiKey: ApiKey = {
    id: 'key_demo',
    name: 'Demo key',
    ...describeKey(key),
    enabled: true,
    models: null,
    userId: null,
    expiresAt: null,
    createdAt: time,
  };
  const models = DEMO_MODEL_IDS.map((id): [string, Model] => [id, demoModel(id, time)]);
  const initial = {
    providers: new Map([[provider.id, provider]]),
    models: new Map(models),
    apiKeys: new Map([[apiKey.id, apiKey]]),
  };
  return { store: createMemoryStore({ now, randomBytes, initial }), key };
}

/** What to paste, once the proxy listens. */
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

function demoModel(id: string, time: string): Model {
  return {
    id,
    name: id,
    providerId: 'demo',
    upstreamModel: null,
    enabled: true,
    vision: id === 'demo-vision' || id === 'demo-ocr',
    createdAt: time,
    updatedAt: time,
  };
}
