import type { IncomingMessage, ServerResponse } from 'node:http';
import { ACCESSES, type Access, type Guard } from '../auth/require.ts';
import { Cancellation } from '../cancellation.ts';
import { HttpError } from '../errors.ts';
import { baseHeaders, corsHeaders, preflightHeaders } from '../http/headers.ts';
import { type Exchange, sendEmpty, sendError } from '../http/reply.ts';
import { parseRequestTarget, type RequestTarget } from '../http/request-target.ts';
import { type Match, type Method, Router } from '../http/router.ts';
import { WriteStallError } from '../http/write-watch.ts';
import type { Logger } from '../logger.ts';
import { shownText } from '../shown-text.ts';
import { MASTER_ID, type Principal } from '../store/entities.ts';
import type { Context, Handler } from './context.ts';
import { noteEnd, noteError, type RequestFacts } from './request-facts.ts';
import { canonicalPath } from './v1/paths.ts';

/** A row of the server's table: what is asked, who may ask it, and who answers. */
export type RouteRow = readonly [method: Method, path: string, access: Access, handler: Handler];

export interface DispatchOptions {
  readonly rows: readonly RouteRow[];
  readonly guard: Guard;
  readonly corsOrigins: '*' | readonly string[];
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onKeyUsed: (keyId: string) => void;
  /** Every request that is not yet answered, so that a shutdown can end them. */
  readonly running: Set<Cancellation>;
  readonly countAnswer: (status: number, outcome: Outcome) => void;
}

export interface Guarded {
  readonly handler: Handler;
  readonly access: Access;
}

/** One request from here to its answer. */
export type Dispatch = (request: IncomingRequest) => Promise<void>;

export interface IncomingRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly expectsContinue: boolean;
}

/** Every route with its access. @throws Error for a row without one: nothing is open by accident. */
export function guardRoutes(rows: readonly RouteRow[]): Router<Guarded> {
  return new Router(
    rows.map(([method, path, access, handler]) => {
      if (!ACCESSES.includes(access)) throw new Error(`no access is set for ${method} ${path}`);
      return { method, path, value: { handler, access } };
    }),
  );
}

/** Makes the way of every request: target, preflight, route, rights, handler; what is thrown becomes one answer. */
export function createDispatch(options: DispatchOptions): Dispatch {
  const router = guardRoutes(options.rows);
  return async ({ req, res, requestId, expectsContinue }) => {
    const startedAt = options.now();
    const facts: RequestFacts = {};
    const abort = new Cancellation();
    let exchange: Exchange = { req, res, headers: baseHeaders(requestId, 'data') };
    let principal: Principal = { kind: 'nobody' };
    options.running.add(abort);
    res.on('close', () => {
      options.running.delete(abort);
      if (!res.writableFinished) abort.abort();
      logRequest({ req, res, requestId, principal, facts, startedAt }, options);
    });
    try {
      const target = parseRequestTarget(req.url ?? '');
      const path = canonicalPath(target.path);
      if (isV1(path)) exchange.headers.push(...cors(req, options));
      else if (!path.startsWith('/api/')) exchange = { req, res, headers: baseHeaders(requestId, 'page') };
      if (
        req.method === 'OPTIONS' &&
        isV1(path) &&
        req.headers['access-control-request-method'] !== undefined
      ) {
        return sendEmpty(exchange, 204, preflightHeaders(req.headers['access-control-request-headers']));
      }
      const match = requireRoute(router.match(req.method ?? '', path), req.method ?? '', target);
      const { access, handler } = match.route.value;
      const found = options.guard(access, req);
      principal = found instanceof Promise ? await found : found;
      noteUse(principal, options);
      // Written out: a spread before the other members costs V8 more than all the rest of this function.
      const context: Context = {
        req,
        res,
        headers: exchange.headers,
        query: target.query,
        params: match.params,
        principal,
        expectsContinue,
        signal: abort,
        facts,
      };
      await handler(context);
    } catch (error) {
      answerError(error, { exchange, facts, requestId, aborted: abort.aborted }, options.logger);
    }
  };
}

function isV1(path: string): boolean {
  return path.startsWith('/v1/');
}

function cors(req: IncomingMessage, options: DispatchOptions): string[] {
  return corsHeaders(options.corsOrigins, req.headers.origin);
}

function requireRoute(
  match: Match<Guarded>,
  method: string,
  target: RequestTarget,
): Match<Guarded> & { kind: 'found' } {
  if (match.kind === 'found') return match;
  if (match.kind === 'unknown') {
    throw new HttpError(
      'unknown_url',
      `There is nothing at ${shownText(target.path)}. The API is under /v1, the panel at /.`,
    );
  }
  throw new HttpError('method_not_supported', `${method} is not supported here. Use ${match.allow}.`, {
    headers: { allow: match.allow },
  });
}

function noteUse(principal: Principal, options: DispatchOptions): void {
  if (principal.kind === 'key') options.onKeyUsed(principal.key.id);
  else if (principal.kind === 'master') options.onKeyUsed(MASTER_ID);
}

interface Failure {
  readonly exchange: Exchange;
  readonly facts: RequestFacts;
  readonly requestId: string;
  readonly aborted: boolean;
}

/** Whatever was thrown becomes one answer; what nobody foresaw is logged with its stack and answered without it. */
function answerError(error: unknown, failure: Failure, logger: Logger): void {
  const { exchange, facts, requestId, aborted } = failure;
  if (error instanceof HttpError) {
    noteError(facts, error);
    try {
      sendError(exchange, error);
    } catch (cannotBeSent) {
      // Such as a header that node:http refuses: one answer's fault must not end the server.
      answerError(cannotBeSent, failure, logger);
    }
    return;
  }
  // `req.destroyed` tells nothing: it is true of every request that has been read to its end.
  if (aborted || exchange.res.destroyed) return void exchange.res.destroy();
  facts.code = 'internal_error';
  logger.error('internal error', {
    requestId,
    stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  if (exchange.res.headersSent) exchange.res.destroy();
  else
    sendError(
      exchange,
      new HttpError('internal_error', `Something went wrong here. The log has details under ${requestId}.`),
    );
}

interface Finished {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly principal: Principal;
  readonly facts: RequestFacts;
  readonly startedAt: number;
}

/** nginx's number for a client that went away before its answer. */
const CLIENT_GONE = 499;

/** How a request ended: with its answer, an error, or an answer that was left, broken off by the provider or cut here. */
export type Outcome = 'ok' | 'error' | 'cancelled' | 'broken' | 'cut';

function outcomeOf({ res, facts }: Finished): Outcome {
  if (facts.outcome !== undefined && (facts.outcome !== 'ok' || res.writableFinished)) return facts.outcome;
  // An error is whole once its bytes are out, although its connection lingers.
  const isAnswered = res.writableFinished || (facts.code !== undefined && res.headersSent);
  if (!isAnswered) return 'cancelled';
  return res.statusCode < 400 ? 'ok' : 'error';
}

function logRequest(finished: Finished, options: DispatchOptions): void {
  const { req, res, requestId, principal, facts, startedAt } = finished;
  if (req.socket.errored instanceof WriteStallError)
    noteEnd(facts, { outcome: 'cut', error: req.socket.errored });
  const outcome = outcomeOf(finished);
  const path = (req.url ?? '').split('?', 1)[0];
  const status = outcome === 'cancelled' ? CLIENT_GONE : res.statusCode;
  options.countAnswer(status, outcome);
  options.logger.info('request', {
    requestId,
    method: req.method,
    path,
    status,
    ms: options.now() - startedAt,
    key: principal.kind === 'key' ? principal.key.name : principal.kind,
    model: facts.model,
    provider: facts.provider,
    outcome,
    code: outcome === 'cancelled' ? 'client_closed_request' : facts.code,
    cause: facts.cause,
  });
}
