import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { endianness } from 'node:os';
import { normalizeAddress, toAddressBytes } from '../ip-address.ts';

/** The two ends of a TCP connection, from the server's side. */
export interface Connection {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/**
 * The user who owns the other end of a loopback connection, by id; `unknown` if no program here does (it runs in another
 * network namespace, or has closed its end); `unreadable` if the system does not tell.
 */
export type PeerOwner = number | 'unknown' | 'unreadable';

export interface PeerOwners {
  ownerOf(connection: Connection): Promise<PeerOwner>;
  /** True if the system tells the owners of connections. */
  canRead(): Promise<boolean>;
}

export interface PeerOwnersOptions {
  /** The paths of the kernel's tables of TCP sockets. */
  readonly tables?: SocketTables;
}

export interface SocketTables {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Linux: Documentation/networking/proc_net_tcp.rst. */
const LINUX_TABLES: SocketTables = { ipv4: '/proc/net/tcp', ipv6: '/proc/net/tcp6' };
const PIECE_BYTES = 64 * 1024;
/** Per table: about 50,000 sockets. Later rows are ignored. */
const MAX_TABLE_BYTES = 8 * 1024 * 1024;
/** A row: number, local and remote address, state, queues, timer, retransmissions, uid, timeout, inode. */
const ROW =
  /^ *\d+: ([\dA-F]{8,32}:[\dA-F]{4}) ([\dA-F]{8,32}:[\dA-F]{4}) [\dA-F]{2} \S+ \S+ \S+ +(\d+) +\d+ (\d+)/;

const UNREADABLE: readonly unknown[] = ['ENOENT', 'EACCES', 'EPERM'];

/** User ids by local and remote address, as the kernel writes them; null: the table cannot be read. */
type Owners = ReadonlyMap<string, number> | null;
type Tables = Readonly<Record<keyof SocketTables, Owners>>;

/**
 * Makes the look-up of connection owners. It reads the tables once at a time; callers that arrive during a read share the
 * next one, so a flood of requests costs no more.
 */
export function createPeerOwners({ tables = LINUX_TABLES }: PeerOwnersOptions = {}): PeerOwners {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<Tables> | null = null;
  const readSoon = (): Promise<Tables> => {
    next ??= running.then(() => {
      const reading = readTables(tables);
      running = reading;
      next = null;
      return reading;
    });
    return next;
  };
  return {
    async ownerOf(connection) {
      const keys = rowKeys(connection);
      if (keys === null) return 'unknown';
      const found = await readSoon();
      const owner = found.ipv6?.get(keys.ipv6) ?? (keys.ipv4 === null ? null : found.ipv4?.get(keys.ipv4));
      if (typeof owner === 'number') return owner;
      return (keys.ipv4 === null ? found.ipv6 : found.ipv4) === null ? 'unreadable' : 'unknown';
    },
    async canRead() {
      const found = await readSoon();
      return found.ipv4 !== null || found.ipv6 !== null;
    },
  };
}

async function readTables({ ipv4, ipv6 }: SocketTables): Promise<Tables> {
  return { ipv4: await readOwners(ipv4), ipv6: await readOwners(ipv6) };
}

/** Never rejects: null for a table that the system does not show, no owners for a table whose reading failed. */
async function readOwners(path: string): Promise<Owners> {
  const owners = new Map<string, number>();
  try {
    const file = await open(path);
    try {
      const piece = Buffer.alloc(PIECE_BYTES);
      let unfinished = '';
      for (let total = 0; total < MAX_TABLE_BYTES; ) {
        const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
        if (bytesRead === 0) break;
        total += bytesRead;
        const lines = (unfinished + piece.toString('latin1', 0, bytesRead)).split('\n');
        unfinished = lines.pop() ?? '';
        for (const line of lines) addRow(owners, line);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    // Only a missing or forbidden table is unreadable: every local user may then use the default password. An attacker who
    // makes the server run out of files must not get there.
    if (UNREADABLE.includes((error as NodeJS.ErrnoException).code)) return null;
    owners.clear();
  }
  return owners;
}

/** A socket without an inode belongs to no program any more; the kernel may show root as its owner. */
function addRow(owners: Map<string, number>, line: string): void {
  const [, local, remote, uid, inode] = ROW.exec(line) ?? [];
  if (local !== undefined && inode !== '0') owners.set(`${local} ${remote}`, Number(uid));
}

interface RowKeys {
  /** null: an IPv6 connection. */
  readonly ipv4: string | null;
  /** An IPv4 address is mapped into IPv6: programs may use an IPv6 socket for an IPv4 connection. */
  readonly ipv6: string;
}

/** The keys of the row of the other end: its local address is our remote one. */
function rowKeys(connection: Connection): RowKeys | null {
  const { localPort, remotePort } = connection;
  const local = normalizeAddress(connection.localAddress ?? '');
  const remote = normalizeAddress(connection.remoteAddress ?? '');
  if (local === null || remote === null || localPort === undefined || remotePort === undefined) return null;
  const keyOf = (bytes: number): string =>
    `${kernelEnd(remote, remotePort, bytes)} ${kernelEnd(local, localPort, bytes)}`;
  return { ipv4: isIP(remote) === 4 ? keyOf(4) : null, ipv6: keyOf(16) };
}

/** `0100007F:0BB8`: the address as 32-bit words in the machine's byte order, then the port, both in hexadecimal. */
function kernelEnd(address: string, port: number, bytes: number): string {
  const words = toAddressBytes(address).subarray(-bytes);
  if (endianness() === 'LE') words.swap32();
  return `${words.toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}
