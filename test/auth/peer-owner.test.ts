import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { endianness, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createLocalAccess } from '../../src/auth/local-access.ts';
import { type Connection, createPeerOwners, type PeerOwner } from '../../src/auth/peer-owner.ts';
import { makeTestFolder } from '../helpers/start-server.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const NOBODY_UID = 65_534;
const NOT_LINUX = process.platform === 'linux' ? false : 'only Linux names the owners of connections';
const BASH = '/bin/bash';
const NOT_ROOT =
  process.getuid?.() === 0 && existsSync(BASH)
    ? false
    : 'only root can start a program as another user, here bash';
const LITTLE = endianness() === 'LE' ? false : 'the samples are those of a little-endian machine';
const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

const V4 = '0100007F';
const V6 = '00000000000000000000000001000000';
const MAPPED = '0000000000000000FFFF00000100007F';

function row(ends: string, uid: number, inode: number, state = '01'): string {
  const tail = `1 00000000481d4340 20 4 30 10 -1`;
  return `   7: ${ends} ${state} 00000000:00000000 02:000006E1 00000000 ${String(uid).padStart(5)}        0 ${inode} ${tail}\n`;
}

/** The server's side of a connection from port 50000 to port 3000. */
function connectionOf(local: string, remote = local): Connection {
  return { localAddress: local, localPort: 3000, remoteAddress: remote, remotePort: 50_000 };
}

function ownersOf(t: TestContext, tables: { ipv4?: string; ipv6?: string }) {
  const folder = makeTestFolder(t);
  const path = (name: 'ipv4' | 'ipv6'): string => {
    const content = tables[name];
    if (content !== undefined) writeFileSync(join(folder, name), HEAD + content);
    return join(folder, name);
  };
  return createPeerOwners({ tables: { ipv4: path('ipv4'), ipv6: path('ipv6') } });
}

const PEER_V4 = `${V4}:C350 ${V4}:0BB8`;
const OWN_V4 = `${V4}:0BB8 ${V4}:C350`;
const PEER_V6 = `${V6}:C350 ${V6}:0BB8`;
const PEER_MAPPED = `${MAPPED}:C350 ${MAPPED}:0BB8`;

type Case = readonly [
  name: string,
  tables: { ipv4?: string; ipv6?: string },
  connection: Connection,
  expected: PeerOwner,
];

const CASES: readonly Case[] = [
  ['IPv4', { ipv4: row(PEER_V4, 33, 9), ipv6: '' }, connectionOf('127.0.0.1'), 33],
  ['a mapped address', { ipv4: row(PEER_V4, 33, 9), ipv6: '' }, connectionOf('::ffff:127.0.0.1'), 33],
  [
    'a client with an IPv6 socket',
    { ipv4: '', ipv6: row(PEER_MAPPED, 33, 9) },
    connectionOf('127.0.0.1'),
    33,
  ],
  ['IPv6', { ipv4: '', ipv6: row(PEER_V6, 1000, 9) }, connectionOf('::1'), 1000],
  ['root', { ipv4: row(PEER_V4, 0, 9), ipv6: '' }, connectionOf('127.0.0.1'), 0],
  ['no IPv6 here', { ipv4: row(PEER_V4, 33, 9) }, connectionOf('127.0.0.1'), 33],
  ['our own side only', { ipv4: row(OWN_V4, 0, 9), ipv6: '' }, connectionOf('127.0.0.1'), 'unknown'],
  [
    'a socket that was closed',
    { ipv4: row(PEER_V4, 0, 0, '05'), ipv6: '' },
    connectionOf('127.0.0.1'),
    'unknown',
  ],
  [
    'another port',
    { ipv4: row(`${V4}:C351 ${V4}:0BB8`, 0, 9), ipv6: '' },
    connectionOf('127.0.0.1'),
    'unknown',
  ],
  ['an empty table', { ipv4: '', ipv6: '' }, connectionOf('127.0.0.1'), 'unknown'],
  ['IPv6 in no table', { ipv4: row(PEER_V4, 0, 9), ipv6: '' }, connectionOf('::1'), 'unknown'],
  ['no tables', {}, connectionOf('127.0.0.1'), 'unreadable'],
  ['no table of IPv4', { ipv6: '' }, connectionOf('127.0.0.1'), 'unreadable'],
  ['no table of IPv6', { ipv4: '' }, connectionOf('::1'), 'unreadable'],
  ['a closed connection', { ipv4: row(PEER_V4, 33, 9) }, {}, 'unknown'],
  ['lines that are no rows', { ipv4: `x\n\n${PEER_V4}\n`, ipv6: '' }, connectionOf('127.0.0.1'), 'unknown'],
];

describe('createPeerOwners()', { skip: LITTLE }, () => {
  for (const [name, tables, connection, expected] of CASES) {
    test(`B1: the owner of the other end, ${name}: ${expected}`, async (t) => {
      assert.equal(await ownersOf(t, tables).ownerOf(connection), expected);
    });
  }

  test('B1: the owner is found among 20,000 sockets, and not beyond the bound', async (t) => {
    const others = (count: number): string =>
      Array.from({ length: count }, (_, index) => {
        const port = (index % 0xffff).toString(16).toUpperCase().padStart(4, '0');
        return row(`${V4}:${port} 0A00000A:${port}`, 0, index + 1);
      }).join('');
    const last = row(PEER_V4, 33, 9);
    const many = ownersOf(t, { ipv4: others(20_000) + last, ipv6: '' });
    assert.equal(await many.ownerOf(connectionOf('127.0.0.1')), 33);
    const tooMany = ownersOf(t, { ipv4: others(80_000) + last, ipv6: '' });
    assert.equal(await tooMany.ownerOf(connectionOf('127.0.0.1')), 'unknown');
  });

  test('B1: a table that fails to be read names nobody, so that nobody passes', async (t) => {
    const folder = makeTestFolder(t);
    // A folder opens like a file and cannot be read: as when the server has no file left to open.
    const owners = createPeerOwners({ tables: { ipv4: folder, ipv6: folder } });
    assert.equal(await owners.ownerOf(connectionOf('127.0.0.1')), 'unknown');
  });

  test('B1: whoever asks while the tables are read hears of what was written before he asked', async (t) => {
    const folder = makeTestFolder(t);
    const tables = { ipv4: join(folder, 'ipv4'), ipv6: join(folder, 'ipv6') };
    for (const path of Object.values(tables)) writeFileSync(path, HEAD);
    const owners = createPeerOwners({ tables });
    const connection = connectionOf('127.0.0.1');
    const first = owners.ownerOf(connection);
    await new Promise<void>((resolve) => setImmediate(resolve));
    writeFileSync(tables.ipv4, HEAD + row(PEER_V4, 33, 9));
    const later = await Promise.all(Array.from({ length: 50 }, () => owners.ownerOf(connection)));
    assert.deepEqual(new Set(later), new Set([33]));
    await first;
  });
});

/** A server that answers with what the real tables say of the other end. */
async function startWitness(t: TestContext, host: string): Promise<AddressInfo> {
  const owners = createPeerOwners();
  const server = createServer((req, res) => {
    owners.ownerOf(req.socket).then((owner) => res.end(String(owner)));
  });
  t.after(() => server.close());
  server.listen(0, host);
  await once(server, 'listening');
  return server.address() as AddressInfo;
}

describe('the tables of this machine', { skip: NOT_LINUX }, () => {
  const ways: readonly (readonly [listening: string, asked: string])[] = [
    ['127.0.0.1', '127.0.0.1'],
    ...(HAS_IPV6
      ? ([
          ['::', '127.0.0.1'],
          ['::', '[::1]'],
          ['::', '[::ffff:127.0.0.1]'],
          ['0.0.0.0', '[::ffff:127.0.0.1]'],
        ] as const)
      : []),
  ];
  for (const [listening, asked] of ways) {
    test(`B1: name this process for ${asked} where the server listens on ${listening}`, async (t) => {
      const { port } = await startWitness(t, listening);
      const answer = await fetch(`http://${asked}:${port}/`);
      assert.equal(await answer.text(), String(process.geteuid?.()));
    });
  }

  test('B1: name the user of another program', { skip: NOT_ROOT, timeout: 30_000 }, async (t) => {
    const { port } = await startWitness(t, '127.0.0.1');
    // Not Node: where it is installed for one user alone, no other can run it.
    const request = "printf 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'";
    const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; ${request} >&3; cat <&3`;
    const child = spawn(BASH, ['-c', script], {
      uid: NOBODY_UID,
      gid: NOBODY_UID,
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (said += text));
    await once(child, 'close');
    assert.equal(said.split('\r\n\r\n')[1]?.includes(String(NOBODY_UID)), true, said);
  });

  test('B1: name nobody for a client that is gone, which the kernel gives to root', async (t) => {
    const owners = createPeerOwners();
    const server = createServer();
    t.after(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [req] = (await once(server, 'request')) as [IncomingMessage];
    assert.equal(await owners.ownerOf(req.socket), process.geteuid?.());
    const connection = connectionFacts(req);
    socket.destroy();
    await once(socket, 'close');
    assert.equal(await owners.ownerOf(connection), 'unknown');
    req.socket.destroy();
  });
});

/** Kept, because a socket forgets its ends when it closes. */
function connectionFacts({ socket }: IncomingMessage): Connection {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  return { localAddress, localPort, remoteAddress, remotePort };
}

describe('createLocalAccess()', () => {
  const request = (headers: Record<string, string>, remoteAddress = '127.0.0.1'): IncomingMessage => {
    const rawHeaders = Object.entries(headers).flat();
    return {
      httpVersion: '1.1',
      headers,
      rawHeaders,
      socket: { remoteAddress },
    } as unknown as IncomingMessage;
  };
  const host = { host: 'localhost:3000' };
  const peers = (owner: PeerOwner) => ({
    ownerOf: async () => owner,
    canRead: async () => owner !== 'unreadable',
  });
  const rows: readonly (readonly [owner: PeerOwner | null, expected: boolean])[] = [
    [1000, true],
    [0, true],
    [33, false],
    ['unknown', false],
    ['unreadable', true],
    [null, true],
  ];
  for (const [owner, expected] of rows) {
    test(`B1: a local request whose sender is ${owner}, with a server of user 1000: ${expected}`, async () => {
      const access = createLocalAccess({
        trustProxyHops: 0,
        peers: owner === null ? null : peers(owner),
        ownUid: 1000,
      });
      assert.equal(await access.allows(request(host)), expected);
      assert.equal(await access.allows(request({ ...host, via: '1.1 x' })), false);
      assert.equal(await access.cannotSeeOwners(), owner === 'unreadable');
    });
  }

  test('B1: the tables are not read for a request that is refused for its headers', async () => {
    const ownerOf = (): never => assert.fail('the tables were read');
    const access = createLocalAccess({ trustProxyHops: 0, peers: { ownerOf, canRead: async () => true } });
    assert.equal(await access.allows(request({ ...host, origin: 'https://evil.example' })), false);
    assert.equal(await access.allows(request(host, '192.0.2.9')), false);
  });
});
