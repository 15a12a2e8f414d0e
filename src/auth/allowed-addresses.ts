import { HttpError } from '../errors.ts';
import { clientAddress, type ForwardedRequest } from '../http/client-address.ts';
import { createNetworkTest, type Network, parseNetwork } from '../ip-address.ts';
import type { ApiKey, Principal, User } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';

type AddressTest = (address: string) => boolean;

interface Compiled {
  readonly list: readonly string[];
  readonly allows: AddressTest;
}

/** Which addresses keys and users may come from. Each list is compiled once, until it is replaced. */
export class AllowedAddresses {
  readonly #trustProxyHops: number;
  readonly #keys = new Map<string, Compiled>();
  readonly #users = new Map<string, Compiled>();

  constructor(trustProxyHops: number) {
    this.#trustProxyHops = trustProxyHops;
  }

  /** Checks where a request comes from: the lists of the key and of its user both hold. @throws HttpError `ip_not_allowed`. */
  require(principal: Principal, req: ForwardedRequest): void {
    if (principal.kind !== 'key' && principal.kind !== 'user') return;
    if (principal.kind === 'key') this.#check(this.#keys, principal.key, req, 'this API key');
    if (principal.user !== null) this.#check(this.#users, principal.user, req, 'your account');
  }

  /** Forgets the lists of keys and users that were deleted. */
  keepOnly({ apiKeys, users }: Pick<ConfigView, 'apiKeys' | 'users'>): void {
    for (const id of this.#keys.keys()) if (!apiKeys.has(id)) this.#keys.delete(id);
    for (const id of this.#users.keys()) if (!users.has(id)) this.#users.delete(id);
  }

  #check(compiled: Map<string, Compiled>, owner: ApiKey | User, req: ForwardedRequest, name: string): void {
    const list = owner.limits === null ? null : owner.limits.allowedIps;
    if (list === null) return;
    let known = compiled.get(owner.id);
    if (known?.list !== list) {
      known = { list, allows: compile(list) };
      compiled.set(owner.id, known);
    }
    const address = clientAddress(req, this.#trustProxyHops);
    if (known.allows(address)) return;
    throw new HttpError(
      'ip_not_allowed',
      `Requests from the address ${address} are not allowed for ${name}. Ask the administrator of this proxy to allow it.`,
    );
  }
}

function compile(list: readonly string[]): AddressTest {
  const networks = list.map(parseNetwork).filter((network): network is Network => network !== null);
  const isInside = createNetworkTest(networks);
  // The address is `unknown` once the socket is closed.
  return (address) => address !== 'unknown' && isInside(address);
}
