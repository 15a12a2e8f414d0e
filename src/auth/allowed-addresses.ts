import { HttpError } from '../errors.ts';
import { createNetworkTest, type Network, parseNetwork } from '../ip-address.ts';
import type { ApiKey, Limits, Principal, User } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';

type AddressTest = (address: string) => boolean;

interface Compiled {
  readonly list: readonly string[];
  readonly allows: AddressTest;
}

type Owner = Pick<ApiKey | User, 'id' | 'limits'>;

/** Which addresses keys and users may come from. Each list is compiled once, until it is replaced. */
export class AllowedAddresses {
  readonly #keys = new Map<string, Compiled>();
  readonly #users = new Map<string, Compiled>();

  /**
   * Checks where a request comes from: the lists of the key and of its user both hold. `address` is called only if there is a
   * list. @throws HttpError `ip_not_allowed`.
   */
  require(principal: Principal, address: () => string): void {
    if (principal.kind !== 'key' && principal.kind !== 'user') return;
    const key = principal.kind === 'key' ? principal.key : null;
    const isAllowed = allows(this.#keys, key, address) && allows(this.#users, principal.user, address);
    if (isAllowed) return;
    throw new HttpError(
      'ip_not_allowed',
      `Requests from the address ${address()} are not allowed for ${key === null ? 'your account' : 'this API key'}. Ask the administrator of this proxy to allow it.`,
    );
  }

  /** Forgets the lists of keys and users that were deleted. */
  keepOnly({ apiKeys, users }: Pick<ConfigView, 'apiKeys' | 'users'>): void {
    for (const id of this.#keys.keys()) if (!apiKeys.has(id)) this.#keys.delete(id);
    for (const id of this.#users.keys()) if (!users.has(id)) this.#users.delete(id);
  }
}

function allows(compiled: Map<string, Compiled>, owner: Owner | null, address: () => string): boolean {
  const list = listOf(owner?.limits ?? null);
  if (owner === null || list === null) return true;
  let known = compiled.get(owner.id);
  if (known?.list !== list) {
    known = { list, allows: compile(list) };
    compiled.set(owner.id, known);
  }
  return known.allows(address());
}

function listOf(limits: Limits | null): readonly string[] | null {
  return limits === null ? null : limits.allowedIps;
}

function compile(list: readonly string[]): AddressTest {
  const networks = list.map(parseNetwork).filter((network): network is Network => network !== null);
  const isInside = createNetworkTest(networks);
  // The address is `unknown` once the socket is closed.
  return (address) => address !== 'unknown' && isInside(address);
}
