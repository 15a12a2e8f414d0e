import type { IncomingMessage, ServerResponse } from 'node:http';
import { ACCESSES, type Access, type Guard } from '../auth/guard.ts';
import { Cancellation } from '../cancellation.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { HttpError } from '../errors.ts';
import { CallRecord, type ClosedRecord } from '../gateway/record.ts';
import { clientAddress } from '../http/client-address.ts';
import { baseHeaders, corsHeaders, preflightHeaders } from '../http/headers.ts';
import { type Exchange, sendEmpty, sendError } from '../http/reply.ts';
import { parseRequestTarget, type RequestTarget } from '../http/request-target.ts';
import { type Match, type Method, Router } from '../http/router.ts';
import { WriteStallError } from '../http/write-watch.ts';
import type { Logger } from '../logger.ts';
import { shownText } from '../shown-text.ts';
import { MASTER_ID, type Principal } from '../store/entities.ts';
import type { Context, Handler } from './context.ts';
import { sendDialectError } from './dialect-error.ts';
import type { PathReader } from './v1/paths.ts';

/** A row of the server's table: method, path, who may use it, and the handler. */
export type RouteRow = readonly [method: Method, path: string, access: Access, handler: Handler];

export interface DispatchOptions {
  readonly rows: readonly RouteRow[];
  readonly guard: Guard;
  /** Maps any spelling of a path to the path of its route. */
  readonly canonicalPath: PathReader;
  /** The endpoint of a route, for the books; null: requests to it are no calls. */
  readonly endpointOf: (routePath: string, path: string) => string | null;
  /** False: the route counts as unknown at present. */
  readonly isOpen: (routePath: string) => boolean;
  /** The protocol in which a path answers; null: in OpenAI's usual form. */
  readonly dialectOf: (path: string) => Dialect | null;
  readonly corsOrigins: '*' | readonly string[];
  readonly logger: Logger;
  readonly trustProxyHops: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onKeyUsed: (keyId: string) => void;
  /** The cancellations of all running requests, so that a shutdown can end them. */
  readonly running: Set<Cancellation>;
  /** Called with the record of every finished request. */
  readonly onClosed: (record: ClosedRecord) => void;
}

/** Serves one request. */
export type Dispatch = (request: IncomingRequest) => Promise<void>;

export interface IncomingRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly expectsContinue: boolean;
}

/** The router of all rows. @throws Error for a row without an access, so that no route is open by accident. */
export function guardRoutes(rows: readonly RouteRow[]): Router<RouteRow> {
  for (const [method, path, access] of rows) {
    if (!ACCESSES.includes(access)) throw new Error(`no access is set for ${method} ${path}`);
  }
  return new Router(rows);
}

/** Builds the request pipeline: target, preflight, route, access, handler. A thrown error becomes the answer. */
export function createDispatch(options: DispatchOptions): Dispatch {
  const router = guardRoutes(options.rows);
  return async (request) => {
    const { req, res, requestId, expectsContinue } = request;
    const record = openRecord(request, options);
    const cancellation = watch(record, res, options);
    let exchange: Exchange = { req, res, headers: baseHeaders(requestId, 'data') };
    let dialect: Dialect | null = null;
    try {
      const target = parseRequestTarget(req.url ?? '');
      const path = options.canonicalPath(target.path);
      if (isV1(path)) exchange.headers.push(...corsHeaders(options.corsOrigins, req.headers.origin));
      else if (isPage(path)) exchange = { req, res, headers: baseHeaders(requestId, 'page') };
      dialect = options.dialectOf(path);
      if (dialect !== null) exchange.headers.push(...dialect.headers(requestId));
      if (isPreflight(req, path)) {
        return sendEmpty(exchange, 204, preflightHeaders(req.headers['access-control-request-headers']));
      }
      const match = requireRoute(openMatch(router.match(req.method ?? '', path), options), req, target);
      const [, , access, handler] = match.route;
      noteEndpoint(record, match.route, { req, path, options });
      const found = options.guard(access, req);
      const principal = found instanceof Promise ? await found : found;
      record.principal = principal;
      noteUse(principal, options);
      // Written out, because a spread before the other members costs V8 more than the rest of this function.
      const context: Context = {
        req,
        res,
        headers: exchange.headers,
        path,
        query: target.query,
        params: match.params,
        principal,
        expectsContinue,
        signal: cancellation,
        record,
      };
      await handler(context);
    } catch (error) {
      answerError(error, { exchange, record, dialect, isAborted: cancellation.aborted }, options.logger);
    }
  };
}

function noteEndpoint(
  record: CallRecord,
  [, route]: RouteRow,
  {
    req,
    path,
    options,
  }: { readonly req: IncomingMessage; readonly path: string; readonly options: DispatchOptions },
): void {
  const endpoint = options.endpointOf(route, path);
  if (endpoint === null) return;
  record.endpoint = endpoint;
  record.clientAddress = clientAddress(req, options.trustProxyHops);
}

function openRecord({ req, requestId }: IncomingRequest, { now }: DispatchOptions): CallRecord {
  const url = req.url ?? '';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  return new CallRecord({ requestId, method: req.method ?? '', path, startedAtMs: now() });
}

/** Counts the request as running until its connection or its answer ends, and closes its record then. */
function watch(record: CallRecord, res: ServerResponse, options: DispatchOptions): Cancellation {
  const cancellation = new Cancellation();
  options.running.add(cancellation);
  res.on('close', () => {
    options.running.delete(cancellation);
    if (!res.writableFinished) cancellation.abort();
    // After the listeners that note how the answer ended.
    process.nextTick(close, record, res, options);
  });
  return cancellation;
}

const V1 = '/v1/';

function isV1(path: string): boolean {
  return path.startsWith(V1);
}

/** Scripts and styles need no policy of pages, whose length would be a third of what a small one takes. */
function isPage(path: string): boolean {
  return !path.startsWith('/api/') && !/\.(?:js|css)$/.test(path);
}

function isPreflight({ method, headers }: IncomingMessage, path: string): boolean {
  return method === 'OPTIONS' && isV1(path) && headers['access-control-request-method'] !== undefined;
}

const UNKNOWN = { kind: 'unknown' } as const;

function openMatch(match: Match<RouteRow>, { isOpen }: DispatchOptions): Match<RouteRow> {
  return match.kind === 'found' && !isOpen(match.route[1]) ? UNKNOWN : match;
}

function requireRoute(
  match: Match<RouteRow>,
  { method = '', headers }: IncomingMessage,
  target: RequestTarget,
): Match<RouteRow> & { kind: 'found' } {
  if (match.kind === 'found') return match;
  if (match.kind === 'unknown') {
    throw new HttpError(
      'unknown_url',
      `There is nothing at ${shownText(target.path)}. The API is under /v1, the panel at /.`,
    );
  }
  if (headers.upgrade !== undefined) throw noUpgrade(headers.connection);
  throw new HttpError('method_not_supported', `${method} is not supported here. Use ${match.allow}.`, {
    headers: { allow: match.allow },
  });
}

/**
 * The refusal of another protocol (RFC 9110 section 15.5.22). Codex tries a WebSocket first; by this status it goes on with POST at
 * once, and by any other only after many attempts.
 */
function noUpgrade(connection: string | undefined): HttpError {
  // node:http decides by this header alone whether it keeps the connection, also where the client has asked for its end.
  const isToClose = /\bclose\b/i.test(connection ?? '');
  const message = 'There are no WebSockets here. Send the request with POST.';
  return new HttpError('upgrade_required', message, {
    headers: { connection: isToClose ? 'upgrade, close' : 'upgrade', upgrade: 'HTTP/1.1' },
  });
}

function noteUse(principal: Principal, options: DispatchOptions): void {
  if (principal.kind === 'key') options.onKeyUsed(principal.key.id);
  else if (principal.kind === 'master') options.onKeyUsed(MASTER_ID);
}

interface Failure {
  readonly exchange: Exchange;
  readonly record: CallRecord;
  readonly dialect: Dialect | null;
  readonly isAborted: boolean;
}

/** Answers with a thrown error. An unexpected error is logged with its stack, which the client does not get. */
function answerError(error: unknown, failure: Failure, logger: Logger): void {
  const { exchange, record, isAborted } = failure;
  if (error instanceof HttpError) {
    record.noteError(error);
    try {
      reply(failure, error);
    } catch (cannotBeSent) {
      // For example, node:http refuses a header. One bad answer must not end the server.
      answerError(cannotBeSent, failure, logger);
    }
    return;
  }
  // `req.destroyed` does not help: it is true for every request that was read to its end.
  if (isAborted || exchange.res.destroyed) return void exchange.res.destroy();
  const { requestId } = record;
  const message = `Something went wrong here. The log has details under ${requestId}.`;
  const internal = new HttpError('internal_error', message);
  record.noteError(internal);
  logInternal(error, requestId, logger);
  if (exchange.res.headersSent) exchange.res.destroy();
  else reply(failure, internal);
}

/** Answers with an error in the client's protocol. */
function reply({ exchange, dialect, record: { requestId } }: Failure, error: HttpError): void {
  if (dialect === null) sendError(exchange, error);
  else sendDialectError(exchange, { error, dialect, requestId });
}

function logInternal(error: unknown, requestId: string, logger: Logger): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  logger.error('internal error', { requestId, stack });
}

function close(record: CallRecord, res: ServerResponse, options: DispatchOptions): void {
  const { errored } = res.req.socket;
  if (errored instanceof WriteStallError) record.noteEnd({ outcome: 'cut', error: errored });
  const closed = record.close({
    status: res.statusCode,
    headersSent: res.headersSent,
    isFinished: res.writableFinished,
    nowMs: options.now(),
  });
  try {
    options.onClosed(closed);
  } catch (error) {
    // Nobody waits for it: thrown on, it would end the server.
    logInternal(error, closed.requestId, options.logger);
  }
  logClosed(closed, options.logger);
}

function logClosed(closed: ClosedRecord, logger: Logger): void {
  const { requestId, method, path, status, ms, principal, modelId, target, outcome } = closed;
  logger.info('request', {
    requestId,
    method,
    path,
    status,
    ms,
    key: principal.kind === 'key' ? principal.key.name : principal.kind,
    model: modelId ?? undefined,
    provider: target?.provider.id,
    outcome,
    code: closed.code ?? undefined,
    cause: closed.cause ?? undefined,
  });
}
