import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { HttpError } from '../../src/errors.ts';
import { createGuardedLookup, isAddressAllowed } from '../../src/providers/address-policy.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { prepareProgram } from '../helpers/programs.ts';
import { startApp } from '../helpers/start-app.ts';

/** Loopback and private networks: refused only with BLOCK_PRIVATE_UPSTREAMS. */
const PRIVATE = [
  '127.0.0.1',
  '127.255.255.254',
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '100.64.0.1',
  '0.0.0.0',
  '0.1.2.3',
  '198.18.0.1',
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  'fc00::1',
  'fd12:3456::1',
  'fec0::1',
  'ff02::1',
  '100::1',
  '2001:db8::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::7f00:1',
  '::127.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::127.0.0.1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '2001:0:1:2:3:4:80ff:fffe',
  '::ffff:10.1.2.3',
  '0:0:0:0:0:ffff:c0a8:1',
  '::1%lo',
];
/** Link-local and metadata addresses: always refused. */
const FORBIDDEN = [
  '169.254.169.254',
  '169.254.0.1',
  '169.254.170.2',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::',
  '2001:0:1:2:3:4:5601:5601',
  '::ffff:0:a9fe:a9fe',
];
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.1',
  '192.167.1.1',
  '100.63.0.1',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
  '2002:808:808::1',
];

describe('isAddressAllowed()', () => {
  for (const address of FORBIDDEN) {
    test(`always refuses ${address}`, () => {
      assert.equal(isAddressAllowed(address, false), false);
      assert.equal(isAddressAllowed(address, true), false);
    });
  }
  for (const address of PRIVATE) {
    test(`refuses ${address} if private addresses are blocked`, () => {
      assert.equal(isAddressAllowed(address, false), true);
      assert.equal(isAddressAllowed(address, true), false);
    });
  }
  for (const address of PUBLIC) {
    test(`allows ${address}`, () => {
      assert.equal(isAddressAllowed(address, true), true);
    });
  }
  for (const address of [
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '1.2.3.4.5',
    ':::',
    '1.2.3.4/8',
    ' 1.1.1.1',
  ]) {
    test(`refuses ${JSON.stringify(address)}, which is not an address`, () => {
      assert.equal(isAddressAllowed(address, false), false);
    });
  }
});

/** Base URLs with other spellings of addresses that BLOCK_PRIVATE_UPSTREAMS refuses. PORT is the canary server's port. */
const SPELLINGS = [
  'http://127.0.0.1:PORT',
  'http://127.1:PORT',
  'http://127.0.1:PORT',
  'http://2130706433:PORT',
  'http://0x7f000001:PORT',
  'http://0x7f.1:PORT',
  'http://0x7f.0x0.0x0.0x1:PORT',
  'http://017700000001:PORT',
  'http://0177.0.0.1:PORT',
  'http://0177.1:PORT',
  'http://127.0.0.1.:PORT',
  'http://１２７.０.０.１:PORT',
  'http://127。0。0。1:PORT',
  'http://①②⑦.⓪.⓪.①:PORT',
  'http://%31%32%37.0.0.1:PORT',
  'http://0:PORT',
  'http://0.0.0.0:PORT',
  'http://[::]:PORT',
  'http://[::1]:PORT',
  'http://[0:0:0:0:0:0:0:1]:PORT',
  'http://[::ffff:127.0.0.1]:PORT',
  'http://[::ffff:7f00:1]:PORT',
  'http://[::127.0.0.1]:PORT',
  'http://[64:ff9b::7f00:1]:PORT',
  'http://[64:ff9b::127.0.0.1]:PORT',
  'http://[2002:7f00:1::]:PORT',
  'http://[::ffff:0:127.0.0.1]:PORT',
  'http://[fd00::1]:PORT',
  'http://10.0.0.1:PORT',
  'http://192.168.1.1:PORT',
  'http://172.16.0.1:PORT',
  'http://localhost:PORT',
  'http://LOCALHOST:PORT',
  'http://localhost.:PORT',
  'http://ｌｏｃａｌｈｏｓｔ:PORT',
  'http://lo%63alhost:PORT',
  'http://user@127.0.0.1:PORT',
  'http://api.openai.com@127.0.0.1:PORT',
  'http://api.openai.com\\@127.0.0.1:PORT',
  'http://127.0.0.1:PORT#@api.openai.com',
  'http://169.254.169.254',
  'http://[fe80::1]',
  'http://[fd00:ec2::254]',
  'http://[::ffff:169.254.169.254]',
  'http://0xa9fea9fe',
  'http://2852039166',
  'file:///etc/passwd',
  'gopher://127.0.0.1:PORT',
  'ftp://127.0.0.1:PORT',
  'unix:/run/docker.sock',
  '//127.0.0.1:PORT',
  'http:127.0.0.1:PORT',
];

/** Base URLs that are refused even if private addresses are allowed: metadata addresses and invalid URLs. */
const ALWAYS_REFUSED = /169\.254|fe80|ec2::|a9fea9fe|2852039166|@|\\|^file|^gopher|^ftp|^unix|^\/\/|^http:1/;

describe('a provider at a refused address', { timeout: 30_000 }, () => {
  for (const blockPrivate of [true, false]) {
    test(`is refused when it is saved or used (private addresses ${blockPrivate ? 'blocked' : 'allowed'})`, async (t) => {
      const canary = await startUpstream(t, json(CHAT_ANSWER));
      const port = new URL(canary.origin).port;
      const app = await startApp(t, { env: { BLOCK_PRIVATE_UPSTREAMS: String(blockPrivate) } });
      const spellings = blockPrivate
        ? SPELLINGS
        : SPELLINGS.filter((spelling) => ALWAYS_REFUSED.test(spelling));
      for (const [index, spelling] of spellings.entries()) {
        const baseUrl = spelling.replaceAll('PORT', port);
        const id = `p${index}`;
        const saved = await app.admin('POST', '/api/admin/providers', { id, name: id, baseUrl });
        const text = await saved.text();
        if (saved.status === 400) {
          assert.equal(JSON.parse(text).error.param, 'baseUrl', spelling);
          continue;
        }
        assert.equal(saved.status, 201, `${spelling}: ${text}`);
        await app.addProvider({ id, baseUrl }, [{ id: `m${index}` }]);
        await refusedInUse(app, `m${index}`, spelling);
        const tested = await app.admin('POST', `/api/admin/providers/${id}/test`);
        assert.equal(((await tested.json()) as { ok: boolean }).ok, false, spelling);
      }
      assert.equal(canary.sockets.size, 0);
      assert.equal(canary.received.length, 0);
    });
  }

  test('is refused in use even if it got into the store another way', async (t) => {
    const canary = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t, { env: { BLOCK_PRIVATE_UPSTREAMS: 'true' } });
    for (const baseUrl of [
      canary.origin,
      'http://169.254.169.254',
      'http://[::ffff:127.0.0.1]:1',
      'http://user@h',
      'nonsense:',
    ]) {
      await app.addProvider({ id: 'p', baseUrl }, [{ id: 'm' }]);
      await refusedInUse(app, 'm', baseUrl);
    }
    assert.equal(canary.received.length, 0);
  });
});

async function refusedInUse(
  app: Awaited<ReturnType<typeof startApp>>,
  model: string,
  label: string,
): Promise<void> {
  const used = await app.v1('chat/completions', { model, messages: [] });
  const { error } = (await used.json()) as { error: { code: string; message: string } };
  assert.deepEqual([used.status, error.code], [502, 'upstream_unreachable'], label);
  // A name that does not resolve here (`localhost.`) may resolve later; a refused address stays refused.
  if (!/ENOTFOUND|EAI_AGAIN/.test(error.message))
    assert.equal(used.headers.get('x-should-retry'), 'false', label);
}

describe('createGuardedLookup()', () => {
  const look = (hostname: string, blockPrivate: boolean, all = false): Promise<unknown> =>
    new Promise((resolve, reject) => {
      createGuardedLookup('p', blockPrivate)(hostname, { all }, (error, address) =>
        error === null ? resolve(address) : reject(error),
      );
    });

  const localNames = readFileSync('/etc/hosts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
      return isIP(address) !== 0 && !isAddressAllowed(address, true) ? names : [];
    });

  const reason = process.platform === 'win32' ? 'Windows has no /etc/hosts' : false;
  for (const name of new Set(['localhost', ...localNames])) {
    test(`refuses the name ${name}, which resolves to a refused address`, { skip: reason }, async () => {
      await assert.rejects(look(name, true), (error) => error instanceof HttpError && error.status === 502);
    });
  }

  test('returns one address or all, as requested', async () => {
    assert.match(String(await look('localhost', false)), /^(127\.0\.0\.1|::1)$/);
    const all = await look('localhost', false, true);
    assert.ok(Array.isArray(all) && all.length >= 1);
  });

  test('passes on the error for a name that does not exist', async () => {
    await assert.rejects(look('no-such-host.invalid', true), { syscall: 'getaddrinfo' });
  });

  test('notices at the next connection that a name has changed', async (t) => {
    const program = prepareProgram(join(import.meta.dirname, 'changing-name.ts'));
    const hosts = join(process.env['TMPDIR'] ?? '/tmp', `ipin-proxy-hosts-${process.pid}`);
    writeFileSync(hosts, '1.1.1.1 changing.test\n');
    t.after(() => rmSync(hosts));
    const command = `mount --bind "${hosts}" /etc/hosts && exec "${program.join('" "')}" "${hosts}"`;
    const run = await promisify(execFile)('unshare', ['-m', 'sh', '-c', command], { timeout: 20_000 }).catch(
      (error: unknown) => error,
    );
    const { stdout = '', stderr = '' } = run as { stdout?: string; stderr?: string };
    if (stdout === '')
      return t.skip(`the system allows no private mounts: ${stderr.split('\n')[0] || String(run)}`);
    assert.equal(stdout.trim(), '1.1.1.1 refused refused');
  });
});
