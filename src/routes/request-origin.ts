import { clientAddress, type RequestOrigin } from '../http/client-address.ts';
import type { Context } from './context.ts';

/** What a request says about where it came from. */
export function originOf(context: Context): RequestOrigin {
  const { socket, httpVersion, headers, rawHeaders } = context.req;
  return { remoteAddress: socket.remoteAddress, httpVersion, headers, rawHeaders };
}

/** The client's address, seen through the trusted proxies. */
export function addressOf(context: Context, trustProxyHops: number): string {
  return clientAddress(originOf(context), trustProxyHops);
}
