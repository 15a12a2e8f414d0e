import type { IncomingMessage } from 'node:http';
import { HttpError } from '../errors.ts';
import { isSameOrigin, isSecure } from '../http/client-address.ts';
import { readCookie, sessionCookieName } from '../http/cookies.ts';
import type { Principal } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';
import type { AllowedAddresses } from './allowed-addresses.ts';
import {
  digestKey,
  isExpired,
  isSameDigest,
  readBearerToken,
  readPresentedKey,
  withoutAuthorization,
} from './api-keys.ts';
import { isSampleKey } from './known-secrets.ts';
import type { LocalAccess } from './local-access.ts';
import type { SignedIn } from './sessions.ts';

/** Whom a route lets in. */
export const ACCESSES = [
  /** Everybody; nobody is looked up. */
  'anyone',
  /** Everybody; a session is looked up if there is one. */
  'optional-session',
  /** An API key, or a session of our own pages. */
  'key',
  /** As `key`; of two different keys the one in `Authorization` counts if it can be used, else the other. */
  'either-key',
  /** The admin's session or token. */
  'admin',
  /** A user's session or token. */
  'user',
  /** The master key, or the admin's session or token. */
  'metrics',
] as const;
export type Access = (typeof ACCESSES)[number];

export interface GuardOptions {
  readonly view: () => ConfigView;
  /** SHA-256 of the master key, lower-case hex. */
  readonly masterDigest: () => string;
  readonly resolveSession: (token: string) => Promise<SignedIn | null>;
  readonly localAccess: LocalAccess;
  readonly allowedAddresses: AllowedAddresses;
  readonly trustProxyHops: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Decides from the headers alone who makes a request and whether the route lets them in. Most requests present a key and
 * get their answer at once; a promise means that a session, or the sender of a sample key, must be looked up.
 * @throws HttpError `missing_api_key`, `invalid_api_key`, `ip_not_allowed`, `not_signed_in`, `forbidden`, `cross_origin_refused`.
 */
export type Guard = (access: Access, req: IncomingMessage) => Principal | Promise<Principal>;

const NOBODY: Principal = { kind: 'nobody' };
const MASTER: Principal = { kind: 'master' };

/** Makes the guard of all routes. */
export function createGuard(options: GuardOptions): Guard {
  return (access, req) => {
    switch (access) {
      case 'anyone':
        if (req.method === 'POST') refuseOtherOrigins(req);
        return NOBODY;
      case 'optional-session':
        return findSession(req, options).then((session) => session ?? NOBODY);
      case 'key':
        return requireAddress(requireKey(req, options), req, options);
      case 'either-key':
        return requireAddress(requireEitherKey(req, options), req, options);
      case 'metrics':
        return requireMasterOrAdmin(req, options);
      default:
        return requireRole(access, req, options);
    }
  };
}

function requireKey(req: IncomingMessage, options: GuardOptions): Principal | Promise<Principal> {
  const presented = readPresentedKey(req.rawHeaders, req.url ?? '');
  if (presented.kind === 'key') return principalOfKey(presented.key, req, options);
  if (presented.kind === 'invalid') throw invalidKey(presented.message);
  return findSession(req, options).then((session) => {
    if (session !== null) return session;
    throw missingKey();
  });
}

/** Anthropic's clients may send the key of a subscription as Bearer although they also have a key for this server. */
function requireEitherKey(req: IncomingMessage, options: GuardOptions): Principal | Promise<Principal> {
  const bearer = readBearerToken(req.rawHeaders);
  const other = readPresentedKey(withoutAuthorization(req.rawHeaders), req.url ?? '');
  if (bearer.kind === 'none' || other.kind !== 'key') return requireKey(req, options);
  if (bearer.kind === 'key' && bearer.key === other.key) return requireKey(req, options);
  const useOther = (): Principal | Promise<Principal> => principalOfKey(other.key, req, options);
  if (bearer.kind === 'invalid') return useOther();
  try {
    const found = principalOfKey(bearer.key, req, options);
    return found instanceof Promise ? found.catch(useOther) : found;
  } catch {
    return useOther();
  }
}

/** Lets a key or a session in from its allowed addresses only. */
function requireAddress(
  found: Principal | Promise<Principal>,
  req: IncomingMessage,
  { allowedAddresses }: GuardOptions,
): Principal | Promise<Principal> {
  if (found instanceof Promise)
    return found.then((principal) => requireFrom(principal, req, allowedAddresses));
  return requireFrom(found, req, allowedAddresses);
}

function requireFrom(principal: Principal, req: IncomingMessage, allowed: AllowedAddresses): Principal {
  allowed.require(principal, req);
  return principal;
}

async function requireRole(
  role: 'admin' | 'user',
  req: IncomingMessage,
  options: GuardOptions,
): Promise<Principal> {
  refuseOtherOrigins(req);
  const session = await findSession(req, options);
  if (session === null) {
    const message = 'You are not signed in, or your session has ended. Sign in again.';
    throw new HttpError('not_signed_in', message);
  }
  if (session.kind === role) return session;
  throw new HttpError('forbidden', `This address is for the role ${role}.`);
}

async function requireMasterOrAdmin(req: IncomingMessage, options: GuardOptions): Promise<Principal> {
  const presented = readBearerToken(req.rawHeaders);
  if (presented.kind === 'key' && isSameDigest(digestKey(presented.key), options.masterDigest()))
    return principalOfKey(presented.key, req, options);
  return requireRole('admin', req, options).catch((error: unknown) => {
    if (!(error instanceof HttpError) || error.status !== 401) throw error;
    const message = 'Send the master key as `Authorization: Bearer KEY`, or sign in as the admin.';
    throw new HttpError('not_signed_in', message);
  });
}

/** Other sites may not use `/api`: neither their scripts (CORS) nor their forms (CSRF), sign-in included. */
function refuseOtherOrigins(req: IncomingMessage): void {
  if (req.method === 'GET' || req.method === 'HEAD' || isSameOrigin(req.method, req.headers)) return;
  throw new HttpError(
    'cross_origin_refused',
    'Requests from other sites are refused here. Send the request from a page of this server, or without a browser.',
  );
}

/** A sample key may also be a user's key, in an imported file: it is checked whoever owns it. */
function principalOfKey(
  key: string,
  req: IncomingMessage,
  options: GuardOptions,
): Principal | Promise<Principal> {
  if (!isSampleKey(key)) return ownerOfKey(key, options);
  return options.localAccess.allows(req).then((isAllowed) => {
    if (isAllowed) return ownerOfKey(key, options);
    throw invalidKey(
      'This key is a sample from the documentation: it works only on the machine itself, for the user who runs the server. Use your own key.',
    );
  });
}

function ownerOfKey(key: string, { masterDigest, view, now }: GuardOptions): Principal {
  const digest = digestKey(key);
  if (isSameDigest(digest, masterDigest())) return MASTER;
  const { apiKeyByDigest, users } = view();
  const found = apiKeyByDigest.get(digest);
  if (found?.enabled === true && !isExpired(found.expiresAt, now())) {
    const user = found.userId === null ? null : users.get(found.userId);
    if (user === null || user?.enabled === true) return { kind: 'key', key: found, user };
  }
  throw invalidKey('The API key is unknown, disabled or expired. Ask the owner of this server for a key.');
}

/**
 * The session of the token in `Authorization`, else of the cookie, if the cookie counts. A bad token is refused even if a
 * good cookie comes with it.
 */
async function findSession(req: IncomingMessage, options: GuardOptions): Promise<SignedIn | null> {
  const presented = readBearerToken(req.rawHeaders);
  if (presented.kind === 'key') return options.resolveSession(presented.key);
  if (presented.kind === 'invalid') return null;
  const token = isSameOrigin(req.method, req.headers) ? cookieOf(req, options) : null;
  return token === null ? null : options.resolveSession(token);
}

/** Over TLS only the `__Host-` cookie counts: no other host and no plain http page can have set it. */
function cookieOf(req: IncomingMessage, options: GuardOptions): string | null {
  const name = sessionCookieName(options.view().instanceId, isSecure(req, options.trustProxyHops));
  return readCookie(req.headers.cookie, name);
}

function missingKey(): HttpError {
  return new HttpError(
    'missing_api_key',
    'You did not provide an API key. Send it as Authorization: Bearer YOUR_KEY.',
    { headers: { 'www-authenticate': 'Bearer' } },
  );
}

function invalidKey(message: string): HttpError {
  return new HttpError('invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });
}
