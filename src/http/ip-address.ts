import { BlockList, isIP } from 'node:net';

/** Networks that are a household's or an organisation's own (RFC 1918, 3927, 4193, 4291, 6598), the machine itself included. */
const PRIVATE_NETWORKS = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const;
const privateNetworks = new BlockList();
for (const [network, prefix] of PRIVATE_NETWORKS) {
  privateNetworks.addSubnet(network, prefix, network.includes(':') ? 'ipv6' : 'ipv4');
}

/**
 * Brings an IP address into one form: IPv4 dotted, also where it came mapped into IPv6 (`::ffff:127.0.0.1`, RFC 4291
 * section 2.5.5.2); IPv6 in lower case, shortened as in RFC 5952, without its zone. null: not an IP address.
 */
export function normalizeAddress(text: string): string | null {
  const version = isIP(text);
  if (version === 4) return text;
  if (version !== 6) return null;
  const groups = toGroups(text);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? toDotted(groups) : toShortest(groups);
}

/**
 * The part of an address that one customer holds and cannot leave: IPv4 whole, IPv6 its /64, as `2001:db8:0:1::/64`.
 * What is not an address comes back as `unknown`.
 */
export function networkOf(address: string): string {
  const normalized = normalizeAddress(address);
  if (normalized === null) return 'unknown';
  if (isIP(normalized) === 4) return normalized;
  return `${toShortest([...toGroups(normalized).slice(0, 4), 0, 0, 0, 0])}/64`;
}

/** Tells whether a normalised address is of the machine itself: 127/8 or ::1. */
export function isLoopback(normalized: string): boolean {
  return normalized === '::1' || (isIP(normalized) === 4 && normalized.startsWith('127.'));
}

/** The 16 bytes of a normalised address in network order; IPv4 mapped into IPv6, its own four bytes last. */
export function toAddressBytes(normalized: string): Buffer {
  const groups = toGroups(isIP(normalized) === 4 ? `::ffff:${normalized}` : normalized);
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/**
 * Tells whether a normalised address is loopback, link-local or private. The networks for documentation and tests, which
 * `address-policy.ts` keeps upstreams from, are not among them: whoever comes from there is a stranger.
 */
export function isPrivate(normalized: string): boolean {
  return privateNetworks.check(normalized, normalized.includes(':') ? 'ipv6' : 'ipv4');
}

/** The eight 16-bit groups of a valid IPv6 address. */
function toGroups(address: string): number[] {
  const [withoutZone = ''] = address.split('%');
  const [head = '', tail] = withoutZone.split('::');
  const left = parseGroups(head);
  if (tail === undefined) return left;
  const right = parseGroups(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
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
