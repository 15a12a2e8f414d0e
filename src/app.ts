import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { createGuard } from './auth/require.ts';
import { Cancellation } from './cancellation.ts';
import { createServices, type ServicesOptions } from './create-services.ts';
import { HttpError } from './errors.ts';
import { ENDPOINTS, type Endpoint } from './gateway/endpoints.ts';
import { CallRecord } from './gateway/record.ts';
import { baseHeaders } from './http/headers.ts';
import { sendError } from './http/reply.ts';
import { createHttpServer, type HttpServerOptions } from './http/server.ts';
import { type StaticFiles, sendStatic } from './http/static.ts';
import { InflightBudget } from './inflight-budget.ts';
import * as adminKeys from './routes/admin/api-keys.ts';
import { downloadBackup, restoreBackup } from './routes/admin/backup.ts';
import * as adminModels from './routes/admin/models.ts';
import { changeAdminPassword } from './routes/admin/password.ts';
import { listUpstreamModels, testProvider } from './routes/admin/provider-test.ts';
import * as providers from './routes/admin/providers.ts';
import { adminMe, adminStatus } from './routes/admin/status.ts';
import * as users from './routes/admin/users.ts';
import { lastUsedCounter } from './routes/api-key-records.ts';
import { createDispatch, type Dispatch, type RouteRow } from './routes/dispatch.ts';
import { health } from './routes/health.ts';
import { metrics } from './routes/metrics.ts';
import type { Services } from './routes/services.ts';
import { login, logout, whoIsSignedIn } from './routes/sign-in.ts';
import * as ownKeys from './routes/user/api-keys.ts';
import { changePassword, userMe } from './routes/user/me.ts';
import { readFormCall } from './routes/v1/form.ts';
import { readJsonCall } from './routes/v1/json.ts';
import { listModels, retrieveModel } from './routes/v1/models.ts';
import { readOcrCall } from './routes/v1/ocr.ts';
import { type CallOptions, type ReadCall, serveCall } from './routes/v1/open-call.ts';
import { createPathReader } from './routes/v1/paths.ts';
import type { MasterKey } from './store/entities.ts';
import type { Store } from './store/store.ts';

export interface AppOptions extends Omit<ServicesOptions, 'store' | 'masterKey' | 'running' | 'budget'> {
  readonly staticFiles: StaticFiles;
  /** The endpoints of `/v1`, where they are not the usual ones. */
  readonly endpoints?: readonly Endpoint[];
  /** Bounds of connections as tests want them, see `HttpServerOptions`. */
  readonly connections?: Pick<HttpServerOptions, 'writeStallMs' | 'peerOf'>;
}

export interface App {
  /** Does not listen yet. Until a store is opened it answers that it is starting. */
  readonly server: Server;
  /** Puts the store in; from now on requests are served. */
  open(store: Store, masterKey: () => MasterKey): Services;
  /** Ends every running request with this error. */
  abortRequests(reason: HttpError): void;
}

/** Composes the server: everything it does is in the table below. */
export function createApp(options: AppOptions): App {
  const { lifecycle } = options;
  let dispatch: Dispatch | null = null;
  const running = new Set<Cancellation>();
  const budget = new InflightBudget(options.config.maxInflightBytes);
  const server = createHttpServer({
    ...options.connections,
    budget,
    requestId: newRequestId,
    isDraining: () => lifecycle.phase === 'draining',
    listener(req, res, expectsContinue) {
      const requestId = newRequestId();
      if (dispatch === null) answerStarting({ req, res, headers: baseHeaders(requestId, 'data') }, options);
      else void dispatch({ req, res, requestId, expectsContinue });
    },
  });
  return {
    server,
    open(store, masterKey) {
      const services = createServices({ ...options, store, masterKey, running, budget });
      dispatch = createDispatch({
        rows: createRoutes(services, options.staticFiles, options.endpoints),
        canonicalPath: createPathReader(options.endpoints ?? ENDPOINTS),
        guard: createGuard({
          view: store.config.view,
          masterDigest: () => masterKey().digest,
          resolveSession: services.sessions.resolve,
          localAccess: services.localAccess,
          trustProxyHops: options.config.trustProxyHops,
          now: options.now,
        }),
        corsOrigins: options.config.corsOrigins,
        logger: options.logger,
        now: options.now,
        running,
        onClosed: services.metrics.countRequest,
        onKeyUsed: (id) => noteKeyUse(store, id, options.now()),
      });
      lifecycle.phase = 'ready';
      return services;
    },
    abortRequests(reason) {
      for (const request of running) request.abort(reason);
    },
  };
}

/** Everything the server does: one row per route, with who may use it. */
export function createRoutes(
  services: Services,
  staticFiles: StaticFiles,
  endpoints = ENDPOINTS,
): RouteRow[] {
  const { store, config, gateway, budget } = services;
  const { view } = store.config;
  const calls: CallOptions = { gateway, budget, view, maxBodyBytes: config.maxBodyBytes, now: services.now };
  return [
    ['GET', '/health', 'anyone', health({ ...services, storage: () => store.status().state })],
    ['GET', '/metrics', 'scrape', metrics(services.metrics.registry)],

    ['GET', '/api/me', 'visitor', whoIsSignedIn(services)],
    ['POST', '/api/login', 'anyone', login('any', services)],
    ['POST', '/api/admin/login', 'anyone', login('admin', services)],
    ['POST', '/api/admin/logout', 'admin', logout(services)],
    ['GET', '/api/admin/me', 'admin', adminMe(services)],
    ['PUT', '/api/admin/password', 'admin', changeAdminPassword(services)],
    ['GET', '/api/admin/status', 'admin', adminStatus(services)],
    ['GET', '/api/admin/providers', 'admin', providers.listProviders(services)],
    ['POST', '/api/admin/providers', 'admin', providers.createProvider(services)],
    ['GET', '/api/admin/providers/:id', 'admin', providers.getProvider(services)],
    ['PUT', '/api/admin/providers/:id', 'admin', providers.updateProvider(services)],
    ['DELETE', '/api/admin/providers/:id', 'admin', providers.deleteProvider(services)],
    ['POST', '/api/admin/providers/:id/test', 'admin', testProvider(services)],
    ['GET', '/api/admin/providers/:id/upstream-models', 'admin', listUpstreamModels(services)],
    ['GET', '/api/admin/models', 'admin', adminModels.listModels(services)],
    ['POST', '/api/admin/models', 'admin', adminModels.createModel(services)],
    ['GET', '/api/admin/models/:id', 'admin', adminModels.getModel(services)],
    ['PUT', '/api/admin/models/:id', 'admin', adminModels.updateModel(services)],
    ['DELETE', '/api/admin/models/:id', 'admin', adminModels.deleteModel(services)],
    ['GET', '/api/admin/apikeys', 'admin', adminKeys.listApiKeys(services)],
    ['POST', '/api/admin/apikeys', 'admin', adminKeys.createApiKey(services)],
    ['GET', '/api/admin/apikeys/:id', 'admin', adminKeys.getApiKey(services)],
    ['PUT', '/api/admin/apikeys/:id', 'admin', adminKeys.updateApiKey(services)],
    ['DELETE', '/api/admin/apikeys/:id', 'admin', adminKeys.deleteApiKey(services)],
    ['GET', '/api/admin/users', 'admin', users.listUsers(services)],
    ['POST', '/api/admin/users', 'admin', users.createUser(services)],
    ['GET', '/api/admin/users/:id', 'admin', users.getUser(services)],
    ['PUT', '/api/admin/users/:id', 'admin', users.updateUser(services)],
    ['DELETE', '/api/admin/users/:id', 'admin', users.deleteUser(services)],
    ['GET', '/api/admin/backup', 'admin', downloadBackup(services)],
    ['POST', '/api/admin/restore', 'admin', restoreBackup(services)],

    ['POST', '/api/user/login', 'anyone', login('user', services)],
    ['POST', '/api/user/logout', 'user', logout(services)],
    ['GET', '/api/user/me', 'user', userMe(services)],
    ['PUT', '/api/user/password', 'user', changePassword(services)],
    ['GET', '/api/user/apikeys', 'user', ownKeys.listOwnKeys(services)],
    ['POST', '/api/user/apikeys', 'user', ownKeys.createOwnKey(services)],
    ['GET', '/api/user/apikeys/:id', 'user', ownKeys.getOwnKey(services)],
    ['PUT', '/api/user/apikeys/:id', 'user', ownKeys.updateOwnKey(services)],
    ['DELETE', '/api/user/apikeys/:id', 'user', ownKeys.deleteOwnKey(services)],

    ['GET', '/v1/models', 'key', listModels(view)],
    ['GET', '/v1/models/*id', 'key', retrieveModel(view)],
    ...endpoints.map((endpoint): RouteRow => {
      return ['POST', `/v1/${endpoint.path}`, 'key', serveCall(endpoint, readerOf(endpoint), calls)];
    }),

    ...[...staticFiles].map(([path, file]): RouteRow => {
      return ['GET', path, 'anyone', (context) => sendStatic(context, file)];
    }),
  ];
}

/** How the body of an endpoint is read. */
function readerOf({ body, form }: Endpoint): ReadCall {
  if (body === 'ocr') return readOcrCall;
  return form === null ? readJsonCall : readFormCall(form);
}

function answerStarting(exchange: Parameters<typeof sendError>[0], { lifecycle, now }: AppOptions): void {
  const path = exchange.req.url ?? '';
  if (path === '/health' || path.startsWith('/health?')) {
    const report = health({ lifecycle, now, storage: () => 'ok' });
    void report({
      ...exchange,
      query: '',
      params: new Map(),
      principal: { kind: 'nobody' },
      expectsContinue: false,
      signal: new Cancellation(),
      record: new CallRecord({ requestId: '', method: 'GET', path, startedAtMs: now() }),
    });
    return;
  }
  const message = 'The server is starting. Try again in a moment.';
  sendError(exchange, new HttpError('starting', message, { headers: { 'retry-after': '2' } }));
}

const KEY_USE_MS = 60_000;

function noteKeyUse(store: Store, keyId: string, nowMs: number): void {
  const name = lastUsedCounter(keyId);
  const before = store.counters.get(name);
  if (before === undefined || nowMs - before >= KEY_USE_MS) store.counters.set(name, nowMs);
}

/** Unique, not secret: random bytes of the process, then a count. */
const REQUEST_PREFIX = `req_${randomBytes(11).toString('hex')}`;
let requestCount = 0;

function newRequestId(): string {
  requestCount += 1;
  return REQUEST_PREFIX + requestCount.toString(16).padStart(10, '0');
}
