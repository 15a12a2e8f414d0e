import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type AppOptions, createApp } from '../../src/app.ts';
import { describeKey, generateKey } from '../../src/auth/api-keys.ts';
import { DEFAULT_PASSWORD } from '../../src/auth/known-secrets.ts';
import { PASSWORD_COST } from '../../src/auth/password-work.ts';
import { type Books, booksInMemory, closeBooks } from '../../src/books.ts';
import { type Config, type Environment, loadConfig } from '../../src/config.ts';
import { StaticFolder } from '../../src/http/static.ts';
import type { Lifecycle } from '../../src/lifecycle.ts';
import { createLogger } from '../../src/logger.ts';
import type { SnapshotStatus } from '../../src/offsite/status.ts';
import { newApiKey } from '../../src/routes/api-key-records.ts';
import type { Services } from '../../src/routes/services.ts';
import { shutDown } from '../../src/shutdown.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import { withEntity } from '../../src/store/changes.ts';
import type { Model, Provider } from '../../src/store/entities.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { makeModel, makeProvider, type ProviderFields } from './records.ts';
import { checkAfter, closeAfter, expectNothingHeld } from './teardown.ts';

export const MASTER_KEY = 'sk-master-0123456789abcdef0123456789abcdef';
export const ADMIN = { username: 'boss', password: 'correct horse battery' } as const;

export interface AppUnderTest {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly server: Server;
  readonly services: Services;
  /** Ends it in order, as a signal does; the store stays open. */
  shutDown(graceMs: number): Promise<void>;
  readonly lifecycle: Lifecycle;
  /** Every line that was logged. */
  readonly logs: string[];
  readonly config: Config;
  /** Calls `/api` as the admin, with his token. */
  admin(method: string, path: string, body?: unknown): Promise<Response>;
  /** Puts a provider and models at it into the store, without the half second that a sign-in takes. */
  addProvider(
    provider: ProviderFields & Pick<Provider, 'id' | 'baseUrl'>,
    models: readonly ModelFields[],
  ): Promise<void>;
  /** Makes an API key and returns it. */
  addKey(fields: { userId?: string | null; [field: string]: unknown }): Promise<string>;
  /** Calls `/v1` with a key, the master's if none is named. */
  v1(path: string, body: unknown, key?: string): Promise<Response>;
}

export type ModelFields = Partial<Model> & Pick<Model, 'id'>;

export interface StartOptions {
  readonly env?: Environment;
  readonly store?: Store;
  readonly now?: () => number;
  readonly snapshotStatus?: () => SnapshotStatus;
  /** scrypt's N, a sixteenth of the server's own where it is absent. */
  readonly passwordCost?: number;
  readonly connections?: AppOptions['connections'];
  readonly endpoints?: AppOptions['endpoints'];
  /** What is kept of calls; those that are absent are in memory. They end with the test. */
  readonly books?: Partial<Books>;
}

const CHEAP_COST = PASSWORD_COST / 16;

/** One for all: each compresses the pages that it serves. */
/** The pages. */
export const STATIC_FOLDER = new StaticFolder(fileURLToPath(new URL('../../public', import.meta.url)));

/** The real server on a free loopback port, with a store in memory; it ends with the test. */
export async function startApp(t: TestContext, options: StartOptions = {}): Promise<AppUnderTest> {
  const now = options.now ?? Date.now;
  const logs: string[] = [];
  const config = loadConfig({
    MASTER_API_KEY: MASTER_KEY,
    UI_USERNAME: ADMIN.username,
    UI_PASSWORD: ADMIN.password,
    LOG_LEVEL: 'debug',
    // Most tests look at one attempt; those of further attempts set it.
    UPSTREAM_RETRIES: '0',
    ...options.env,
  });
  const lifecycle: Lifecycle = { phase: 'starting', startedAtMs: now() };
  const store = options.store ?? createMemoryStore({ now, randomBytes });
  const logger = createLogger({ level: config.logLevel, now, write: (line) => void logs.push(line) });
  const app = createApp({
    config,
    logger,
    lifecycle,
    staticFolder: STATIC_FOLDER,
    passwordCost: options.passwordCost ?? CHEAP_COST,
    version: 'test',
    now,
    randomBytes,
    ...(options.endpoints === undefined ? {} : { endpoints: options.endpoints }),
    ...(options.connections === undefined ? {} : { connections: options.connections }),
    ...(options.snapshotStatus === undefined ? {} : { snapshotStatus: options.snapshotStatus }),
  });
  const books = { ...booksInMemory({ logger, now }), ...options.books };
  const master = describeKey(config.masterApiKey ?? generateKey(randomBytes));
  const services = app.open(store, () => master, books);
  await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
  checkAfter(t, () => expectNothingHeld(services, () => app.server.closeAllConnections()));
  closeAfter(t, async () => {
    app.server.closeAllConnections();
    await new Promise((resolve) => app.server.close(resolve));
    await closeBooks(books);
    await store.close();
  });
  const { port } = app.server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  let token: string | null = null;
  const under: AppUnderTest = {
    origin,
    port,
    server: app.server,
    services,
    lifecycle,
    logs,
    config,
    shutDown: (graceMs) =>
      shutDown({
        server: app.server,
        lifecycle,
        graceMs,
        logger,
        abortRequests: app.abortRequests,
        close: async () => {},
      }),
    async admin(method, path, body) {
      const password = config.uiPassword ?? DEFAULT_PASSWORD;
      token ??= await signIn(origin, { username: config.uiUsername, password });
      return fetch(`${origin}${path}`, jsonRequest(method, `Bearer ${token}`, body));
    },
    async addProvider(provider, models) {
      await changeConfig(store.config, (state) => {
        const time = new Date(now()).toISOString();
        const times = { createdAt: time, updatedAt: time };
        const withProvider = withEntity(state, 'providers', makeProvider({ ...times, ...provider }));
        const changed = models.reduce((before, model) => {
          const record = makeModel({ ...times, providerId: provider.id, ...model });
          return withEntity(before, 'models', record);
        }, withProvider);
        return { state: changed, result: null };
      });
    },
    async addKey({ userId = null, ...fields }) {
      const given = new Map(Object.entries({ name: 'test key', ...fields }));
      const request = { fields: given, time: new Date(now()).toISOString() };
      const { key, record } = newApiKey(request, userId, services);
      await changeConfig(store.config, (state) => ({
        state: withEntity(state, 'apiKeys', record),
        result: null,
      }));
      return key;
    },
    v1: (path, body, key = MASTER_KEY) =>
      fetch(`${origin}/v1/${path}`, jsonRequest('POST', `Bearer ${key}`, body)),
  };
  return under;
}

/** Signs in, as the admin if nobody is named, and returns the token. */
export async function signIn(
  origin: string,
  { username, password }: { readonly username: string; readonly password: string } = ADMIN,
): Promise<string> {
  const response = await fetch(`${origin}/api/login`, jsonRequest('POST', null, { username, password }));
  const { token } = (await expectStatus(200, response)) as { token: string };
  return token;
}

/** A request with a JSON body and an `Authorization`. */
export function jsonRequest(method: string, authorization: string | null, body?: unknown): RequestInit {
  const headers: Record<string, string> = authorization === null ? {} : { authorization };
  if (body === undefined) return { method, headers };
  headers['content-type'] = 'application/json';
  return { method, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** The JSON of an answer that must have a status. */
export async function expectStatus(status: number, response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.status !== status) throw new Error(`expected ${status}, got ${response.status}: ${text}`);
  return text === '' ? null : JSON.parse(text);
}
