import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { expandIpv6, isLoopback, isLoopbackHost, networkOf, normalizeAddress } from '../src/ip-address.ts';

describe('normalizeAddress()', () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:7f00:1', '127.0.0.1'],
    ['::ffff:0:192.0.2.1', '::ffff:0:c000:201'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['', null],
    ['unknown', null],
    ['localhost', null],
    ['1.2.3', null],
    ['1.2.3.4.5', null],
    ['256.1.1.1', null],
    ['0x7f.0.0.1', null],
    ['127.1', null],
    ['[::1]', null],
    ['::1::', null],
    ['1.2.3.4:80', null],
    [' 1.2.3.4', null],
    ['１.2.3.4', null],
  ];
  for (const [text, expected] of cases) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(text)}`, () => {
      assert.equal(normalizeAddress(text), expected);
    });
  }

  it('makes the same of every spelling of an IPv6 address', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((value) => value.toString(16).padStart(4, '0')).join(':');
        const normalized = normalizeAddress(long.toUpperCase());
        assert.ok(normalized !== null && isIP(normalized) !== 0);
        assert.equal(normalizeAddress(normalized), normalized);
        // The URL parser of the platform, which implements RFC 5952 too, is the witness.
        if (isIP(normalized) === 6) assert.equal(new URL(`http://[${long}]/`).hostname, `[${normalized}]`);
      }),
    );
  });

  it('takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const normalized = normalizeAddress(text);
        assert.equal(normalized === null, isIP(text) === 0);
        networkOf(text);
      }),
    );
  });
});

describe('networkOf()', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1:aaaa::1', '2001:db8:0:1::/64'],
    ['2001:db8:0:1:bbbb:cccc:dddd:eeee', '2001:db8:0:1::/64'],
    ['2001:db8:0:2::1', '2001:db8:0:2::/64'],
    ['::1', '::/64'],
    ['', 'unknown'],
    ['unknown', 'unknown'],
    ['<script>', 'unknown'],
  ];
  for (const [address, network] of cases) {
    it(`puts ${JSON.stringify(address)} into ${network}`, () => assert.equal(networkOf(address), network));
  }
});

describe('isLoopback()', () => {
  for (const address of ['127.0.0.1', '127.255.255.254', '::1']) {
    it(`says yes to ${address}`, () => assert.equal(isLoopback(address), true));
  }
  for (const address of [
    '128.0.0.1',
    '12.7.0.1',
    '10.0.0.1',
    '::',
    '::2',
    '127.evil.example',
    '0.0.0.0',
    'unknown',
    '',
  ]) {
    it(`says no to ${JSON.stringify(address)}`, () => assert.equal(isLoopback(address), false));
  }
});

describe('expandIpv6()', () => {
  it('gives the eight groups of every spelling', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((value) => value.toString(16)).join(':');
        const short = new URL(`http://[${long}]/`).hostname.slice(1, -1);
        const [g = 0, h = 0] = groups.slice(6);
        const dotted = [g >> 8, g & 255, h >> 8, h & 255].join('.');
        const mixed = [...groups.slice(0, 6).map((value) => value.toString(16)), dotted].join(':');
        for (const text of [long, long.toUpperCase(), short, `${short}%eth0`, mixed]) {
          assert.deepEqual(expandIpv6(text), groups, text);
        }
      }),
    );
  });
});

describe('isLoopbackHost()', () => {
  for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.1', '[::1]']) {
    it(`says yes to ${host}`, () => assert.equal(isLoopbackHost(host), true));
  }
  for (const host of [
    'localhost.',
    'localhost.example',
    '127.1',
    '128.0.0.1',
    '::1',
    '[::2]',
    '',
    '127.0.0.1.example',
  ]) {
    it(`says no to ${JSON.stringify(host)}`, () => assert.equal(isLoopbackHost(host), false));
  }
});
