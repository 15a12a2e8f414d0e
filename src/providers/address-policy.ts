import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { HttpError } from '../errors.ts';
import { createNetworkTest, expandIpv6, hostOf, PRIVATE_NETWORKS } from '../ip-address.ts';

/** Link-local and cloud metadata addresses: never an AI provider, but a way to steal a machine's credentials. */
const isForbidden = createNetworkTest([
  ['169.254.0.0', 16],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
]);

/** Networks that are not the public internet (RFC 6890 and the IANA registries). */
const isNotPublic = createNetworkTest([
  ...PRIVATE_NETWORKS,
  ['0.0.0.0', 8],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fec0::', 10],
  ['ff00::', 8],
]);

/**
 * Whether an upstream may have this IP address. An IPv6 address with an embedded IPv4 address (mapped, compatible, NAT64, 6to4,
 * Teredo) is allowed only if both are.
 */
export function isAddressAllowed(address: string, blockPrivate: boolean): boolean {
  const [withoutZone = ''] = address.split('%');
  const version = isIP(withoutZone);
  if (version === 0) return false;
  const candidates = version === 6 ? [withoutZone, ...embeddedIpv4(withoutZone)] : [withoutZone];
  return candidates.every(
    (candidate) => !isForbidden(candidate) && !(blockPrivate && isNotPublic(candidate)),
  );
}

/** False if the host of a URL is an IP address that no upstream may have. Names are checked when they resolve. */
export function isHostAllowed(url: URL, blockPrivate: boolean): boolean {
  const host = hostOf(url);
  return isIP(host) === 0 || isAddressAllowed(host, blockPrivate);
}

/** The error for a refused upstream address. Does not name the address, which may describe the owner's network. */
export function addressRefused(providerId: string): HttpError {
  return new HttpError(
    'upstream_unreachable',
    `The address of provider ${providerId} is not allowed: it leads to a link-local, metadata or private network.`,
    { headers: { 'x-should-retry': 'false' } },
  );
}

/**
 * Creates the `lookup` of a provider's connections. It checks every address that a name resolves to at the time of the
 * connection, so changing the name's DNS record later does not help an attacker (DNS rebinding).
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

/** The IPv4 addresses embedded in an IPv6 address (RFC 4291, 6052, 3056, 4380). */
function embeddedIpv4(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = expandIpv6(address);
  const found: string[] = [];
  if (a === 0 && b === 0 && c === 0 && d === 0) {
    const isMapped = e === 0 && f === 0xffff;
    const isTranslated = e === 0xffff && f === 0;
    const isCompatible = e === 0 && f === 0 && (g !== 0 || h > 1);
    if (isMapped || isTranslated || isCompatible) found.push(toDotted(g, h));
  }
  if (a === 0x64 && b === 0xff9b) found.push(toDotted(g, h));
  if (a === 0x2002) found.push(toDotted(b, c));
  if (a === 0x2001 && b === 0) found.push(toDotted(g ^ 0xffff, h ^ 0xffff));
  return found;
}

function toDotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
