import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { HttpError } from '../errors.ts';

/** Link-local and cloud metadata: never an AI provider, always a way to steal a machine's credentials. */
const FORBIDDEN = blockList([
  ['169.254.0.0', 16],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
]);

/** Loopback, private and other networks that are not the public internet (RFC 6890 and the IANA registries). */
const PRIVATE = blockList([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fec0::', 10],
  ['ff00::', 8],
]);

/**
 * Whether an upstream may be at this IP address. Addresses that hold an IPv4 one inside (mapped, compatible, NAT64,
 * 6to4, Teredo) are judged by that one as well.
 */
export function isAddressAllowed(address: string, blockPrivate: boolean): boolean {
  const version = isIP(address.split('%')[0] ?? '');
  if (version === 0) return false;
  return [address.split('%')[0] ?? '', ...embeddedIpv4(address)].every((candidate) => {
    const family = isIP(candidate) === 4 ? 'ipv4' : 'ipv6';
    if (FORBIDDEN.check(candidate, family)) return false;
    return !blockPrivate || !PRIVATE.check(candidate, family);
  });
}

/** The error for an upstream whose address is refused. The address is not named: it may describe the owner's network. */
export function addressRefused(providerId: string): HttpError {
  return new HttpError(
    'upstream_unreachable',
    `The address of provider ${providerId} is not allowed: it leads to a link-local, metadata or private network.`,
    { headers: { 'x-should-retry': 'false' } },
  );
}

/**
 * Makes the `lookup` of a provider's connections: every address that a name resolves to is checked at the moment of the
 * connection, so a name that changes after it was saved gains nothing (DNS rebinding).
 */
export function createGuardedLookup(providerId: string, blockPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, '', 0);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isAddressAllowed(address, blockPrivate))) {
        return callback(addressRefused(providerId), '', 0);
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function blockList(rows: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of rows) {
    // Not isIP(): compiling its expression for IPv6 would be a tenth of the server's start.
    list.addSubnet(network, prefix, network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** The IPv4 addresses that an IPv6 address stands for (RFC 4291, 6052, 3056, 4380). */
function embeddedIpv4(address: string): string[] {
  if (isIP(address.split('%')[0] ?? '') !== 6) return [];
  const words = expand(address.split('%')[0] ?? '');
  const pair = (high: number, low: number): string =>
    [high >> 8, high & 255, low >> 8, low & 255].map(String).join('.');
  const at = (index: number): number => words[index] ?? 0;
  const leadingZeros = words.slice(0, 5).every((word) => word === 0);
  const found: string[] = [];
  if (leadingZeros && (at(5) === 0xffff || (at(5) === 0 && (at(6) !== 0 || at(7) > 1))))
    found.push(pair(at(6), at(7)));
  if (words.slice(0, 4).every((word) => word === 0) && at(4) === 0xffff && at(5) === 0)
    found.push(pair(at(6), at(7)));
  if (at(0) === 0x64 && at(1) === 0xff9b) found.push(pair(at(6), at(7)));
  if (at(0) === 0x2002) found.push(pair(at(1), at(2)));
  if (at(0) === 0x2001 && at(1) === 0) found.push(pair(at(6) ^ 0xffff, at(7) ^ 0xffff));
  return found;
}

/** The eight words of an IPv6 address in any spelling; the URL parser writes the dotted tail as words. */
function expand(address: string): number[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].map((word) =>
    Number.parseInt(word, 16),
  );
}
