import { clientAddress, isSecure } from '../http/client-address.ts';
import { clearedSessionCookie, sessionCookie } from '../http/cookies.ts';
import { sendEmpty, sendJson } from '../http/reply.ts';
import type { Role } from '../store/entities.ts';
import type { Handler } from './context.ts';
import { FIELD_LIMITS, requireField, wrong } from './fields.ts';
import { type Fields, readFields } from './json-body.ts';
import type { Services } from './services.ts';

const LOGIN_LIMIT_BYTES = 16 * 1024;

/** Signs in. The answer sets the cookie for pages and holds the token for scripts. */
export function login(role: Role | 'any', services: Services): Handler {
  const { config, store } = services;
  return async (context) => {
    const fields = await readFields(context, services.budget, LOGIN_LIMIT_BYTES);
    const { token, expiresAt, account } = await services.signIn({
      username: readText(fields, 'username'),
      password: readText(fields, 'password'),
      role,
      address: clientAddress(context.req, config.trustProxyHops),
      isLocal: () => services.localAccess.allows(context.req),
    });
    const cookie = sessionCookie({
      instanceId: store.config.view().instanceId,
      secure: isSecure(context.req, config.trustProxyHops),
      token,
      maxAgeSeconds: Math.max(0, Math.floor((Date.parse(expiresAt) - services.now()) / 1000)),
    });
    const user = { username: account.username, role: account.role };
    sendJson(context, 200, { token, expiresAt, user }, ['set-cookie', cookie]);
  };
}

/** Who is signed in, or null. Public pages ask this, so it is no error if nobody is. */
export function whoIsSignedIn({ config }: Services): Handler {
  return ({ principal, ...exchange }) => {
    const admin = { username: config.uiUsername, role: 'admin' };
    const user = principal.kind === 'user' ? { username: principal.user.username, role: 'user' } : null;
    sendJson(exchange, 200, { user: principal.kind === 'admin' ? admin : user });
  };
}

/** The admin, who is signed in. */
export function adminMe({ config }: Services): Handler {
  return (context) => sendJson(context, 200, { username: config.uiUsername, role: 'admin' });
}

/** Ends the session and clears its cookie. */
export function logout(services: Services): Handler {
  return async (context) => {
    const { principal } = context;
    if (principal.kind === 'admin' || principal.kind === 'user')
      await services.sessions.end(principal.session);
    const secure = isSecure(context.req, services.config.trustProxyHops);
    const { instanceId } = services.store.config.view();
    sendEmpty(context, 204, ['set-cookie', clearedSessionCookie(instanceId, secure)]);
  };
}

function readText(fields: Fields, name: string): string {
  const value = requireField(fields, name);
  if (typeof value !== 'string') throw wrong(name, 'must be text');
  if (value.length <= FIELD_LIMITS.signIn) return value;
  throw wrong(name, `must have at most ${FIELD_LIMITS.signIn} characters`);
}
