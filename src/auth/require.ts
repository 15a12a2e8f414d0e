import type { IncomingMessage } from 'node:http';
import { isSampleKey } from '../config.ts';
import { HttpError } from '../errors.ts';
import { isSameOrigin, isSecure } from '../http/client-address.ts';
import { readCookie, sessionCookieName } from '../http/cookies.ts';
import type { ApiKey, Principal } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';
import { digestKey, isExpired, isSameDigest, readBearerToken, readPresentedKey } from './api-keys.ts';
import type { LocalAccess } from './local-access.ts';
import type { SignedIn } from './sessions.ts';

/**
 * Who may use a route. `key`: whoever has an API key, or a session of our own pages; `scrape`: the master key or the
 * admin's session or token; `visitor`: everybody, known by their session where they have one.
 */
export const ACCESSES = ['anyone', 'visitor', 'key', 'admin', 'user', 'scrape'] as const;
export type Access = (typeof ACCESSES)[number];

export interface GuardOptions {
  readonly view: () => ConfigView;
  /** SHA-256 of the master key, lower-case hex. */
  readonly masterDigest: () => string;
  readonly resolveSession: (token: string) => Promise<SignedIn | null>;
  readonly localAccess: LocalAccess;
  readonly trustProxyHops: number;
  readonly now: () => number;
}

/**
 * Decides from the headers alone who makes a request, and whether they may. Answers at once for keys, the way of nearly
 * every request, and with a promise where a session or the sender of a sample key must be looked up.
 * @throws HttpError `missing_api_key`, `invalid_api_key`, `not_signed_in`, `forbidden`, `cross_origin_refused`.
 */
export type Guard = (access: Access, req: IncomingMessage) => Principal | Promise<Principal>;

const NOBODY: Principal = { kind: 'nobody' };
const MASTER: Principal = { kind: 'master' };

/** Makes the guard of all routes. */
export function createGuard(options: GuardOptions): Guard {
  const keyHolder = (key: string, req: IncomingMessage): Principal | Promise<Principal> =>
    isSampleKey(key) ? principalOfSample(key, req, options) : principalOfKey(key, options);
  const session = (req: IncomingMessage): Promise<SignedIn | null> => sessionOf(req, options);
  const pageSession = async (req: IncomingMessage): Promise<Principal> => {
    const found = await session(req);
    if (found !== null) return found;
    throw missingKey();
  };
  const signedIn = async (role: 'admin' | 'user', req: IncomingMessage): Promise<Principal> => {
    refuseOtherOrigins(req);
    const found = await session(req);
    if (found === null) throw notSignedIn();
    if (found.kind !== role) throw new HttpError('forbidden', `This address is for the role ${role}.`);
    return found;
  };
  const scraper = async (req: IncomingMessage): Promise<Principal> => {
    const presented = readBearerToken(req.rawHeaders);
    if (presented.kind === 'key' && isSameDigest(digestKey(presented.key), options.masterDigest())) {
      return keyHolder(presented.key, req);
    }
    return signedIn('admin', req).catch((error: unknown) => {
      throw error instanceof HttpError && error.status === 401 ? notAScraper() : error;
    });
  };
  return (access, req) => {
    switch (access) {
      case 'anyone':
        if (req.method === 'POST') refuseOtherOrigins(req);
        return NOBODY;
      case 'visitor':
        return session(req).then((found) => found ?? NOBODY);
      case 'key': {
        const presented = readPresentedKey(req.rawHeaders, req.url ?? '');
        if (presented.kind === 'key') return keyHolder(presented.key, req);
        if (presented.kind === 'invalid') throw invalidKey(presented.message);
        return pageSession(req);
      }
      case 'scrape':
        return scraper(req);
      default:
        return signedIn(access, req);
    }
  };
}

/** `/api` never serves another site: neither its scripts (CORS) nor its forms (CSRF, signing in included). */
function refuseOtherOrigins(req: IncomingMessage): void {
  if (req.method === 'GET' || req.method === 'HEAD' || isSameOrigin(req.method, req.headers)) return;
  throw new HttpError('cross_origin_refused', 'Requests from other sites are refused here.');
}

/** The rule holds for every owner: an imported file may contain a sample key as a user's key. */
async function principalOfSample(
  key: string,
  req: IncomingMessage,
  options: GuardOptions,
): Promise<Principal> {
  if (await options.localAccess.allows(req)) return principalOfKey(key, options);
  throw invalidKey(
    'This key is a sample from the documentation: it works only on the machine itself, for the user who runs the server. Use a key of your own.',
  );
}

function principalOfKey(key: string, options: GuardOptions): Principal {
  const digest = digestKey(key);
  if (isSameDigest(digest, options.masterDigest())) return MASTER;
  const view = options.view();
  const found = view.apiKeyByDigest.get(digest);
  const user = found?.userId == null ? null : (view.users.get(found.userId) ?? null);
  if (
    found === undefined ||
    !isUsable(found, options.now()) ||
    (found.userId !== null && user?.enabled !== true)
  ) {
    throw invalidKey('The API key is unknown, disabled or expired. Ask the owner of this server for a key.');
  }
  return { kind: 'key', key: found, user };
}

function isUsable(key: ApiKey, nowMs: number): boolean {
  return key.enabled && !isExpired(key.expiresAt, nowMs);
}

/** A token in `Authorization`, else the cookie, where it counts: never both, so that a bad token is not rescued. */
async function sessionOf(req: IncomingMessage, options: GuardOptions): Promise<SignedIn | null> {
  const presented = readBearerToken(req.rawHeaders);
  if (presented.kind === 'key') return options.resolveSession(presented.key);
  if (presented.kind === 'invalid') return null;
  const token = isSameOrigin(req.method, req.headers) ? cookieOf(req, options) : null;
  return token === null ? null : options.resolveSession(token);
}

/** Over TLS only the `__Host-` cookie counts: no other host or plain http page can have set it. */
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

function notAScraper(): HttpError {
  return new HttpError(
    'not_signed_in',
    'Send the master key as `Authorization: Bearer KEY`, or sign in as the admin.',
  );
}

function notSignedIn(): HttpError {
  return new HttpError('not_signed_in', 'You are not signed in, or your session has ended. Sign in again.');
}
