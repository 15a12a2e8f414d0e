/**
 * IP addresses and networks: the one place that parses, normalises and classifies them.
 */
import { BlockList, isIP } from 'node:net';

/** A network as its first address and the length of its prefix in bits. */
export type Network = readonly [address: string, prefixBits: number];

/** Networks of a household, an organisation or the machine itself (RFC 1918, 3927, 4193, 4291, 6598). */
export const PRIVATE_NETWORKS: readonly Network[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
];
const IPV6_GROUPS = 8;

/** Makes a test for addresses, in any valid spelling without a zone, that lie in one of the networks. */
export function createNetworkTest(networks: readonly Network[]): (address: string) => boolean {
  const list = new BlockList();
  for (const [network, prefixBits] of networks) list.addSubnet(network, prefixBits, familyOf(network));
  return (address) => list.check(address, familyOf(address));
}

/** For valid addresses. Not isIP(): compiling its expression for IPv6 would be a tenth of the server's start. */
function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/**
 * Tells whether a normalised address is loopback, link-local or private. The networks for documentation and tests, which
 * `address-policy.ts` refuses as upstreams, are not among them: a client from there is a stranger.
 */
export const isPrivate = createNetworkTest(PRIVATE_NETWORKS);

/**
 * Normalises an IP address: IPv4 dotted, also if it was mapped into IPv6 (`::ffff:127.0.0.1`, RFC 4291 section 2.5.5.2);
 * IPv6 in lower case, shortened as in RFC 5952, without its zone. Returns null for anything else.
 */
export function normalizeAddress(text: string): string | null {
  const version = isIP(text);
  if (version === 4) return text;
  if (version !== 6) return null;
  const groups = expandIpv6(text);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? toDotted(groups) : toShortest(groups);
}

const PREFIX = /^(?:0|[1-9]\d{0,2})$/;
const IPV4_BITS = 32;
const IPV6_BITS = 128;

/**
 * Reads an address or a CIDR block (RFC 4632, RFC 4291 section 2.3); bits behind the prefix are ignored. Blocks of IPv4 that are
 * mapped into IPv6 become blocks of IPv4. Returns null for anything else.
 * @example parseNetwork('10.0.0.0/8') // ['10.0.0.0', 8]; parseNetwork('::1') // ['::1', 128]
 */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/');
  const written = slash === -1 ? text : text.slice(0, slash);
  const address = written.includes('%') ? null : normalizeAddress(written);
  if (address === null) return null;
  const bits = address.includes(':') ? IPV6_BITS : IPV4_BITS;
  if (slash === -1) return [address, bits];
  const prefix = text.slice(slash + 1);
  const isMapped = bits === IPV4_BITS && written.includes(':');
  const prefixBits = Number(prefix) - (isMapped ? IPV6_BITS - IPV4_BITS : 0);
  return PREFIX.test(prefix) && prefixBits >= 0 && prefixBits <= bits ? [address, prefixBits] : null;
}

/**
 * The network that one customer holds: an IPv4 address itself, the /64 of an IPv6 address, as `2001:db8:0:1::/64`.
 * Returns `unknown` for text that is not an address.
 */
export function networkOf(address: string): string {
  const normalized = normalizeAddress(address);
  if (normalized === null) return 'unknown';
  if (isIP(normalized) === 4) return normalized;
  return `${toShortest([...expandIpv6(normalized).slice(0, 4), 0, 0, 0, 0])}/64`;
}

/** Tells whether a normalised address is loopback: 127/8 or ::1. */
export function isLoopback(normalized: string): boolean {
  return normalized === '::1' || (isIP(normalized) === 4 && normalized.startsWith('127.'));
}

/** Tells whether the host of a URL is this machine: `localhost`, 127/8 or `[::1]`. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}

/** The host of a URL as sockets and `isIP` take it: an IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The 16 bytes of a normalised address in network order. IPv4 is mapped into IPv6: its own four bytes come last. */
export function toAddressBytes(normalized: string): Buffer {
  const groups = expandIpv6(isIP(normalized) === 4 ? `::ffff:${normalized}` : normalized);
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** The eight 16-bit groups of a valid IPv6 address in any spelling; a zone (`%eth0`) is ignored. */
export function expandIpv6(address: string): number[] {
  const [withoutZone = ''] = address.split('%');
  const [head = '', tail] = withoutZone.split('::');
  const left = parseGroups(head);
  if (tail === undefined) return left;
  const right = parseGroups(tail);
  return [...left, ...new Array<number>(IPV6_GROUPS - left.length - right.length).fill(0), ...right];
}

function parseGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function toDotted(groups: readonly number[]): string {
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}

/** RFC 5952, section 4.2: the first of the longest runs of two or more zero groups becomes `::`. */
function toShortest(groups: readonly number[]): string {
  let start = 0;
  let length = 1;
  for (let from = 0; from < groups.length; from += 1) {
    let to = from;
    while (groups[to] === 0) to += 1;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}
