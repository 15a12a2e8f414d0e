import { join } from 'node:path';
import { type StartOptions, type Subject, startSubject } from './processes.ts';

const ROOT = join(import.meta.dirname, '../../../..');
export const ADMIN = { username: 'bench-admin', password: 'bench-admin-password' };
const MASTER_API_KEY = 'sk-bench-master-0123456789abcdef';

/** The content of the proxy's database, in addition to the content of a fresh one. */
export interface StoreOptions {
  readonly dbPath: string;
  readonly upstreamPort: number;
  /** Number of API keys, at least 1. The requests use the last one. */
  readonly keys?: number;
  /** Number of models, at least 3: `bench-model`, `bench-alias` (upstream name `bench-model`) and `bench-chute`. */
  readonly models?: number;
  /** The limits of the key of the requests; absent: none. */
  readonly limits?: object;
  /** Number of providers, at least 2: one with the OpenAI API and one of type Chutes. */
  readonly providers?: number;
}

export interface ProxyOptions {
  readonly dbPath: string;
  readonly logLevel: 'info' | 'warn';
  /** The engine that it shares; absent: it keeps everything in its file. */
  readonly redisUrl?: string;
  /** The file that gets the longest stall of the event loop on SIGUSR2. */
  readonly loopDelayPath?: string;
}

/** Starts the compiled proxy with a database file. The log file is beside it. */
export function startProxy(options: ProxyOptions): Promise<Subject> {
  const env = {
    NODE_ENV: 'production',
    DB_PATH: options.dbPath,
    LOG_LEVEL: options.logLevel,
    MASTER_API_KEY,
    UI_USERNAME: ADMIN.username,
    UI_PASSWORD: ADMIN.password,
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...(options.loopDelayPath === undefined
      ? {}
      : {
          NODE_OPTIONS: `--import ${join(import.meta.dirname, 'servers/loop-probe.js')}`,
          LOOP_DELAY_PATH: options.loopDelayPath,
        }),
  };
  const logPath = `${options.dbPath}.${options.logLevel}.log`;
  return startSubject({ script: join(ROOT, 'dist/server.js'), env, logPath, probePath: '/health' });
}

/** Starts a server of bench/servers/. */
export function startServer(name: string, options: Pick<StartOptions, 'env' | 'logPath'>): Promise<Subject> {
  return startSubject({ script: join(import.meta.dirname, 'servers', `${name}.js`), ...options });
}

/**
 * Fills a database through the admin API: starts a proxy and stops it again.
 * @returns the API key for the requests.
 * @throws Error that names the failed call.
 */
export async function makeStore(options: StoreOptions): Promise<string> {
  const proxy = await startProxy({ dbPath: options.dbPath, logLevel: 'warn' });
  try {
    const admin = await signIn(proxy.port);
    const baseUrl = `http://127.0.0.1:${options.upstreamPort}/v1`;
    const chatOnly = { responses: 'translate', messages: 'translate' };
    await admin.post('providers', {
      id: 'bench',
      name: 'Bench',
      baseUrl,
      apiKey: 'upstream-key',
      options: chatOnly,
    });
    const model = { providerId: 'bench', vision: true };
    await admin.post('models', { ...model, id: 'bench-model', name: 'Bench model' });
    await admin.post('models', { ...model, id: 'bench-alias', name: 'Alias', upstreamModel: 'bench-model' });
    await admin.post('providers', {
      id: 'chutes',
      name: 'Chutes',
      baseUrl,
      apiKey: 'upstream-key',
      type: 'chutes',
    });
    await admin.post('models', { id: 'bench-chute', name: 'Chute', providerId: 'chutes' });
    await inParallel((options.providers ?? 2) - 2, (index) =>
      admin.post('providers', { id: `provider-${index}`, name: `Provider ${index}`, baseUrl }),
    );
    const more = (options.models ?? 3) - 3;
    await inParallel(more, (index) =>
      admin.post('models', { ...model, id: `bench-model-${index}`, name: `Model ${index}` }),
    );
    await inParallel((options.keys ?? 1) - 1, (index) => admin.post('apikeys', { name: `Key ${index}` }));
    const { key } = await admin.post('apikeys', { name: 'Bench', limits: options.limits ?? null });
    if (typeof key !== 'string') throw new Error('the answer to POST /api/admin/apikeys contains no key');
    return key;
  } finally {
    await proxy.stop();
  }
}

export interface Admin {
  readonly headers: Readonly<Record<string, string>>;
  /** Sends JSON to `/api/admin/PATH` and returns the object of the answer. */
  post(path: string, body: object): Promise<Record<string, unknown>>;
}

/** Signs in as the administrator of `startProxy`. */
export async function signIn(port: number): Promise<Admin> {
  const plain = { 'content-type': 'application/json' };
  const { token } = await post(`http://127.0.0.1:${port}/api/admin/login`, plain, ADMIN);
  const headers = { ...plain, authorization: `Bearer ${String(token)}` };
  return { headers, post: (path, body) => post(`http://127.0.0.1:${port}/api/admin/${path}`, headers, body) };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: object,
): Promise<Record<string, unknown>> {
  const init = { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(60_000) };
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${text}`);
  return JSON.parse(text);
}

const CALLS_AT_ONCE = 64;

async function inParallel(count: number, call: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await call(index);
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
}
