import { clientAddress, requestOrigin } from '../http/client-address.ts';
import type { Context } from './context.ts';

/** The client's address, seen through the trusted proxies. */
export function addressOf({ req }: Context, trustProxyHops: number): string {
  return clientAddress(requestOrigin(req), trustProxyHops);
}
