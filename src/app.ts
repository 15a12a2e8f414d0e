import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { createGuard } from './auth/guard.ts';
import { type Books, booksInMemory } from './books.ts';
import type { Cancellation } from './cancellation.ts';
import { HttpError } from './errors.ts';
import { COUNT_TOKENS, ENDPOINTS, type Endpoint } from './gateway/endpoints.ts';
import { baseHeaders } from './http/headers.ts';
import { type Exchange, sendError } from './http/reply.ts';
import { createHttpServer, type HttpServerOptions } from './http/server.ts';
import { type StaticFolder, sendStatic, sendVersioned, VERSIONED_PATH } from './http/static.ts';
import { InflightBudget } from './inflight-budget.ts';
import { apiKeyResource } from './routes/admin/api-keys.ts';
import { downloadBackup, restoreBackup } from './routes/admin/backup.ts';
import { grantBudget, resetUsage } from './routes/admin/budgets.ts';
import { providersHealth, wakeProvider } from './routes/admin/health.ts';
import { modelResource } from './routes/admin/models.ts';
import { changeAdminPassword } from './routes/admin/password.ts';
import { showPriceList } from './routes/admin/prices.ts';
import { providerKeys } from './routes/admin/provider-keys.ts';
import { listUpstreamModels, takeOverPrices } from './routes/admin/provider-prices.ts';
import { testProvider } from './routes/admin/provider-test.ts';
import { providerResource } from './routes/admin/providers.ts';
import { listRequests, liveRequests } from './routes/admin/requests.ts';
import { changeSettings, showSettings, testAlert } from './routes/admin/settings.ts';
import { adminStatus } from './routes/admin/status.ts';
import { adminUsage } from './routes/admin/usage.ts';
import { userResource } from './routes/admin/users.ts';
import { nameOfKeyUse } from './routes/api-key-records.ts';
import type { Handler } from './routes/context.ts';
import { sendDialectError } from './routes/dialect-error.ts';
import { createDispatch, type Dispatch, type RouteRow } from './routes/dispatch.ts';
import { health } from './routes/health.ts';
import { metrics } from './routes/metrics.ts';
import { ResourceHandlers } from './routes/resource.ts';
import { createServices, type Services, type ServicesOptions } from './routes/services.ts';
import { adminMe, login, logout, whoIsSignedIn } from './routes/sign-in.ts';
import { ownKeyResource } from './routes/user/api-keys.ts';
import { userMe } from './routes/user/me.ts';
import { listOwnModels } from './routes/user/models.ts';
import { changeOwnPassword } from './routes/user/password.ts';
import { listOwnRequests } from './routes/user/requests.ts';
import { userUsage } from './routes/user/usage.ts';
import { countTokens } from './routes/v1/count-tokens.ts';
import { hasDefaultProvider } from './routes/v1/default-provider.ts';
import { readFormCall } from './routes/v1/form.ts';
import { readJsonCall } from './routes/v1/json.ts';
import { describeOwnKey } from './routes/v1/key.ts';
import { listModels, retrieveModel } from './routes/v1/models.ts';
import { readOcrCall } from './routes/v1/ocr.ts';
import { type CallOptions, type ReadCall, serveCall } from './routes/v1/open-call.ts';
import { passThrough } from './routes/v1/pass-through.ts';
import {
  createDialectReader,
  createEndpointNamer,
  createPathReader,
  PASS_THROUGH_PATH,
} from './routes/v1/paths.ts';
import type { MasterKey } from './store/entities.ts';
import type { Store } from './store/store.ts';

export interface AppOptions
  extends Omit<ServicesOptions, 'store' | 'masterKey' | 'running' | 'budget' | 'books'> {
  readonly staticFolder: StaticFolder;
  /** The endpoints of `/v1`, if not `ENDPOINTS`. */
  readonly endpoints?: readonly Endpoint[];
  /** Connection limits for tests, see `HttpServerOptions`. */
  readonly connections?: Pick<HttpServerOptions, 'writeStallMs' | 'peerOf'>;
}

export interface App {
  /** Does not listen yet. Answers `starting` until a store is opened. */
  readonly server: Server;
  /** Connects the store and the books; from now on requests are served. */
  open(store: Store, masterKey: () => MasterKey, books?: Books): Services;
  /** Ends every running request with this error. */
  abortRequests(reason: HttpError): void;
}

/** Composes the server. `createRoutes` lists everything it does. */
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
      if (dispatch === null)
        answerStarting({ req, res, headers: baseHeaders(requestId, 'data') }, requestId, options);
      else void dispatch({ req, res, requestId, expectsContinue });
    },
  });
  return {
    server,
    open(store, masterKey, books = booksInMemory(options)) {
      const services = createServices({ ...options, store, masterKey, running, budget, books });
      dispatch = dispatchTo(services, options, running);
      lifecycle.phase = 'ready';
      return services;
    },
    abortRequests(reason) {
      for (const cancellation of running) cancellation.abort(reason);
    },
  };
}

function dispatchTo(services: Services, options: AppOptions, running: Set<Cancellation>): Dispatch {
  const { config, logger, now, store, masterKey, sessions, localAccess } = services;
  const { endpoints = ENDPOINTS } = options;
  return createDispatch({
    rows: createRoutes(services, options.staticFolder, endpoints),
    canonicalPath: createPathReader([...endpoints, COUNT_TOKENS]),
    endpointOf: createEndpointNamer(endpoints),
    isOpen: (path) => path !== PASS_THROUGH_PATH || hasDefaultProvider(store.config.view()),
    dialectOf: createDialectReader(endpoints),
    guard: createGuard({
      view: store.config.view,
      masterDigest: () => masterKey().digest,
      resolveSession: (token) => sessions.resolve(token),
      localAccess,
      allowedAddresses: services.allowedAddresses,
      trustProxyHops: config.trustProxyHops,
      now,
    }),
    corsOrigins: config.corsOrigins,
    trustProxyHops: config.trustProxyHops,
    logger,
    now,
    running,
    onClosed: services.onClosed,
    onKeyUsed: (id) => void store.lastUse.note(nameOfKeyUse(id), now()),
  });
}

/** The table of routes: everything the server does, and who may use it. */
export function createRoutes(
  services: Services,
  staticFolder: StaticFolder,
  endpoints = ENDPOINTS,
): RouteRow[] {
  const { store, config, gateway, budget, limits } = services;
  const { view } = store.config;
  const { maxBodyBytes, sseKeepAliveMs: keepAliveMs, earlyStreamMs } = config;
  const times = { keepAliveMs, earlyStreamMs };
  const calls: CallOptions = {
    gateway,
    providers: services.providers,
    budget,
    view,
    maxBodyBytes,
    limits,
    now: services.now,
    ...times,
  };
  const providers = new ResourceHandlers(providerResource(services), services);
  const keys = providerKeys(services);
  const models = new ResourceHandlers(modelResource(view), services);
  const apiKeys = new ResourceHandlers(apiKeyResource(services), services);
  const users = new ResourceHandlers(userResource(services), services);
  const ownKeys = new ResourceHandlers(ownKeyResource(services), services);
  return [
    ['GET', '/health', 'anyone', health({ ...services, storage: () => store.status().state })],
    ['GET', '/metrics', 'metrics', metrics(services.metrics.registry)],

    ['GET', '/api/me', 'optional-session', whoIsSignedIn(services)],
    ['POST', '/api/login', 'anyone', login('any', services)],
    ['POST', '/api/admin/login', 'anyone', login('admin', services)],
    ['POST', '/api/admin/logout', 'admin', logout(services)],
    ['GET', '/api/admin/me', 'admin', adminMe(services)],
    ['PUT', '/api/admin/password', 'admin', changeAdminPassword(services)],
    ['GET', '/api/admin/status', 'admin', adminStatus(services)],
    ['GET', '/api/admin/providers', 'admin', providers.list],
    ['POST', '/api/admin/providers', 'admin', providers.create],
    ['GET', '/api/admin/providers/:id', 'admin', providers.get],
    ['PUT', '/api/admin/providers/:id', 'admin', providers.update],
    ['DELETE', '/api/admin/providers/:id', 'admin', providers.delete],
    ['POST', '/api/admin/providers/:id/test', 'admin', testProvider(services)],
    ['GET', '/api/admin/providers/:id/upstream-models', 'admin', listUpstreamModels(services)],
    ['POST', '/api/admin/providers/:id/prices', 'admin', takeOverPrices(services)],
    ['POST', '/api/admin/providers/:id/wake', 'admin', wakeProvider(services)],
    ['GET', '/api/admin/providers/:id/keys', 'admin', keys.list],
    ['POST', '/api/admin/providers/:id/keys', 'admin', keys.add],
    ['PUT', '/api/admin/providers/:id/keys/:keyId', 'admin', keys.update],
    ['DELETE', '/api/admin/providers/:id/keys/:keyId', 'admin', keys.remove],
    ['POST', '/api/admin/providers/:id/keys/:keyId/wake', 'admin', keys.wake],
    ['GET', '/api/admin/health', 'admin', providersHealth(services)],
    ['GET', '/api/admin/models', 'admin', models.list],
    ['POST', '/api/admin/models', 'admin', models.create],
    ['GET', '/api/admin/models/:id', 'admin', models.get],
    ['PUT', '/api/admin/models/:id', 'admin', models.update],
    ['DELETE', '/api/admin/models/:id', 'admin', models.delete],
    ['GET', '/api/admin/apikeys', 'admin', apiKeys.list],
    ['POST', '/api/admin/apikeys', 'admin', apiKeys.create],
    ['GET', '/api/admin/apikeys/:id', 'admin', apiKeys.get],
    ['PUT', '/api/admin/apikeys/:id', 'admin', apiKeys.update],
    ['DELETE', '/api/admin/apikeys/:id', 'admin', apiKeys.delete],
    ['POST', '/api/admin/apikeys/:id/grant', 'admin', grantBudget('key', services)],
    ['POST', '/api/admin/apikeys/:id/usage-reset', 'admin', resetUsage('key', services)],
    ['GET', '/api/admin/users', 'admin', users.list],
    ['POST', '/api/admin/users', 'admin', users.create],
    ['GET', '/api/admin/users/:id', 'admin', users.get],
    ['PUT', '/api/admin/users/:id', 'admin', users.update],
    ['DELETE', '/api/admin/users/:id', 'admin', users.delete],
    ['GET', '/api/admin/prices', 'admin', showPriceList],
    ['GET', '/api/admin/settings', 'admin', showSettings(services)],
    ['PUT', '/api/admin/settings', 'admin', changeSettings(services)],
    ['POST', '/api/admin/settings/alert-test', 'admin', testAlert(services)],
    ['GET', '/api/admin/requests', 'admin', listRequests(services)],
    ['GET', '/api/admin/requests/live', 'admin', liveRequests(services)],
    ['GET', '/api/admin/usage', 'admin', adminUsage(services)],
    ['POST', '/api/admin/users/:id/grant', 'admin', grantBudget('user', services)],
    ['POST', '/api/admin/users/:id/usage-reset', 'admin', resetUsage('user', services)],
    ['GET', '/api/admin/backup', 'admin', downloadBackup(services)],
    ['POST', '/api/admin/restore', 'admin', restoreBackup(services)],

    ['POST', '/api/user/login', 'anyone', login('user', services)],
    ['POST', '/api/user/logout', 'user', logout(services)],
    ['GET', '/api/user/me', 'user', userMe(services)],
    ['GET', '/api/user/models', 'user', listOwnModels(services)],
    ['PUT', '/api/user/password', 'user', changeOwnPassword(services)],
    ['GET', '/api/user/apikeys', 'user', ownKeys.list],
    ['POST', '/api/user/apikeys', 'user', ownKeys.create],
    ['GET', '/api/user/apikeys/:id', 'user', ownKeys.get],
    ['PUT', '/api/user/apikeys/:id', 'user', ownKeys.update],
    ['DELETE', '/api/user/apikeys/:id', 'user', ownKeys.delete],
    ['GET', '/api/user/requests', 'user', listOwnRequests(services)],
    ['GET', '/api/user/usage', 'user', userUsage(services)],

    ['GET', '/v1/key', 'key', describeOwnKey(services)],
    ['GET', '/v1/models', 'key', listModels(view)],
    ['GET', '/v1/models/*id', 'key', retrieveModel(view)],
    ...endpoints.map((endpoint): RouteRow => {
      return [
        'POST',
        `/v1/${endpoint.path}`,
        endpoint.access,
        serveCall(endpoint, readerOf(endpoint), calls),
      ];
    }),

    ['POST', `/v1/${COUNT_TOKENS.path}`, COUNT_TOKENS.access, countTokens(COUNT_TOKENS, calls)],
    ['ANY', PASS_THROUGH_PATH, 'key', passThrough(calls)],

    ...[...staticFolder.files].map(([path, file]): RouteRow => {
      return ['GET', path, 'anyone', (context) => sendStatic(context, file)];
    }),
    ['GET', VERSIONED_PATH, 'anyone', serveVersioned(staticFolder)],
  ];
}

function serveVersioned(folder: StaticFolder): Handler {
  return (context) => {
    const { params } = context;
    return sendVersioned(context, folder, {
      version: params.get('version') ?? '',
      path: params.get('path') ?? '',
    });
  };
}

/** The reader for the body of an endpoint. */
function readerOf({ body, form }: Endpoint): ReadCall {
  if (body === 'ocr') return readOcrCall;
  return form === null ? readJsonCall : readFormCall(form);
}

function answerStarting(exchange: Exchange, requestId: string, options: AppOptions): void {
  const { lifecycle, now, endpoints = ENDPOINTS } = options;
  const path = exchange.req.url ?? '';
  if (path === '/health' || path.startsWith('/health?')) {
    health({ lifecycle, now, storage: () => 'ok' })(exchange);
    return;
  }
  const message = 'The server is starting. Try again in a moment.';
  const error = new HttpError('starting', message, { headers: { 'retry-after': '2' } });
  const dialect = createDialectReader(endpoints)(path.split('?', 1)[0] ?? '');
  if (dialect === null) sendError(exchange, error);
  else
    sendDialectError(
      { ...exchange, headers: [...exchange.headers, ...dialect.headers(requestId)] },
      { error, dialect, requestId },
    );
}

/** Request ids are unique, not secret: random bytes per process, then a count. */
const REQUEST_PREFIX = `req_${randomBytes(11).toString('hex')}`;
let requestCount = 0;

function newRequestId(): string {
  requestCount += 1;
  return REQUEST_PREFIX + requestCount.toString(16).padStart(10, '0');
}
