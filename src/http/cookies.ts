/** Larger Cookie headers are ignored; node:http refuses them anyway with its default limits. */
const MAX_COOKIE_HEADER = 64 * 1024;
const COOKIE_VALUE = /^[\w.~-]*$/;

export interface SessionCookieOptions {
  readonly instanceId: string;
  /** The client speaks TLS, see `isSecure`. */
  readonly secure: boolean;
  readonly token: string;
  readonly maxAgeSeconds: number;
}

/**
 * The name of the session cookie. It contains the store's instance id: cookies ignore ports, so two instances on localhost
 * would sign each other's users out. Behind TLS it begins with `__Host-`, so that no sibling domain can set it
 * (RFC 6265bis, section 4.1.3.2).
 */
export function sessionCookieName(instanceId: string, secure: boolean): string {
  const id = instanceId.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 12);
  return `${secure ? '__Host-' : ''}ipin_${id}`;
}

/** The value of the first cookie with exactly this name in a Cookie header, or null. */
export function readCookie(header: string | undefined, name: string): string | null {
  if (header === undefined || header.length > MAX_COOKIE_HEADER) return null;
  let start = 0;
  while (start < header.length) {
    const semicolon = header.indexOf(';', start);
    const end = semicolon === -1 ? header.length : semicolon;
    const equals = header.indexOf('=', start);
    if (equals !== -1 && equals < end && header.slice(start, equals).trim() === name) {
      return header.slice(equals + 1, end).trim();
    }
    start = end + 1;
  }
  return null;
}

/**
 * The Set-Cookie header of a session.
 * @throws TypeError for a token with characters that a cookie cannot have; tokens made here have none
 */
export function sessionCookie(options: SessionCookieOptions): string {
  if (!COOKIE_VALUE.test(options.token))
    throw new TypeError('The session token contains characters not allowed in cookies');
  const name = sessionCookieName(options.instanceId, options.secure);
  const attributes = `Path=/; Max-Age=${options.maxAgeSeconds}; HttpOnly; SameSite=Strict`;
  return `${name}=${options.token}; ${attributes}${options.secure ? '; Secure' : ''}`;
}

/** The Set-Cookie header that removes a session cookie. Its attributes are the same, or browsers would keep the cookie. */
export function clearedSessionCookie(instanceId: string, secure: boolean): string {
  return sessionCookie({ instanceId, secure, token: '', maxAgeSeconds: 0 });
}
