import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  clientAddress,
  type ForwardedRequest,
  isSameOrigin,
  isSecure,
} from '../../src/http/client-address.ts';

const PEER = '192.0.2.9';

function requestWith(
  headers: Record<string, string> = {},
  remoteAddress: string | undefined = PEER,
): ForwardedRequest {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { socket: { remoteAddress }, headers: Object.fromEntries(lower) };
}

describe('clientAddress()', () => {
  const cases: readonly (readonly [hops: number, forwardedFor: string | undefined, expected: string])[] = [
    [0, undefined, PEER],
    [0, '203.0.113.1', PEER],
    [1, undefined, PEER],
    [1, '203.0.113.1', '203.0.113.1'],
    [1, '198.51.100.7, 203.0.113.1', '203.0.113.1'],
    [2, '198.51.100.7, 203.0.113.1', '198.51.100.7'],
    [2, '6.6.6.6,198.51.100.7 ,\t203.0.113.1', '198.51.100.7'],
    [2, '203.0.113.1', '203.0.113.1'],
    [9, '198.51.100.7, 203.0.113.1', '198.51.100.7'],
    [1, '203.0.113.1:4711', '203.0.113.1'],
    [1, '[2001:DB8::1]:4711', '2001:db8::1'],
    [1, '[2001:db8::1]', '2001:db8::1'],
    [1, '"[2001:db8::1]:4711"', '2001:db8::1'],
    [1, '2001:db8::1', '2001:db8::1'],
    [1, '::ffff:203.0.113.1', '203.0.113.1'],
    [1, 'fe80::1%eth0', 'fe80::1'],
    [1, 'unknown', PEER],
    [1, '_hidden', PEER],
    [1, '', PEER],
    [1, ',', PEER],
    [2, '203.0.113.1,', '203.0.113.1'],
    [1, '203.0.113.1,', PEER],
    [1, '127.1', PEER],
    [1, '203.0.113.1 203.0.113.2', PEER],
    [1, '203.0.113.1\n6.6.6.6', PEER],
    [-1, '203.0.113.1', PEER],
  ];
  for (const [hops, forwardedFor, expected] of cases) {
    it(`is ${expected} for ${hops} hops and ${JSON.stringify(forwardedFor)}`, () => {
      const headers = forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor };
      assert.equal(clientAddress(requestWith(headers), hops), expected);
    });
  }

  it('normalises the peer and copes with a closed socket', () => {
    assert.equal(clientAddress(requestWith({}, '::ffff:192.0.2.9'), 0), '192.0.2.9');
    assert.equal(clientAddress({ socket: {}, headers: {} }, 0), 'unknown');
  });

  it('cannot be moved by what a client writes, once the proxies have appended theirs', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 4 }), (forged, hops) => {
        const appended = ['203.0.113.1', '198.51.100.1', '198.51.100.2', '198.51.100.3'].slice(0, hops);
        const header = [forged, ...appended].join(', ');
        assert.equal(clientAddress(requestWith({ 'X-Forwarded-For': header }), hops), '203.0.113.1');
      }),
    );
  });
});

describe('isSecure()', () => {
  const cases: readonly (readonly [hops: number, proto: string | undefined, expected: boolean])[] = [
    [0, 'https', false],
    [1, undefined, false],
    [1, 'https', true],
    [1, 'HTTPS', true],
    [1, 'http', false],
    [1, 'https, http', false],
    [2, 'https, http', true],
    [2, 'https', true],
    [2, 'https, http, http', false],
    [1, 'httpsx', false],
    [1, '', false],
  ];
  for (const [hops, proto, expected] of cases) {
    it(`says ${expected} for ${hops} hops and ${JSON.stringify(proto)}`, () => {
      assert.equal(
        isSecure(requestWith(proto === undefined ? {} : { 'X-Forwarded-Proto': proto }), hops),
        expected,
      );
    });
  }
});

describe('isSameOrigin()', () => {
  const host = 'panel.example:3000';
  const cases: readonly (readonly [method: string, headers: IncomingHttpHeaders, expected: boolean])[] = [
    ['POST', {}, true],
    ['GET', {}, true],
    ['POST', { 'sec-fetch-site': 'same-origin' }, true],
    ['POST', { 'sec-fetch-site': 'same-origin', origin: 'http://evil.example' }, true],
    ['GET', { 'sec-fetch-site': 'none' }, true],
    ['HEAD', { 'sec-fetch-site': 'none' }, true],
    ['POST', { 'sec-fetch-site': 'none' }, false],
    ['PUT', { 'sec-fetch-site': 'none' }, false],
    ['DELETE', { 'sec-fetch-site': 'none' }, false],
    ['GET', { 'sec-fetch-site': 'same-site' }, false],
    ['GET', { 'sec-fetch-site': 'cross-site' }, false],
    ['POST', { 'sec-fetch-site': 'cross-site', origin: `http://${host}` }, false],
    ['POST', { 'sec-fetch-site': 'same-origin, cross-site' }, false],
    ['POST', { 'sec-fetch-site': '' }, false],
    ['POST', { origin: `http://${host}` }, true],
    ['POST', { origin: `https://${host}` }, true],
    ['POST', { origin: 'http://PANEL.example:3000' }, true],
    ['POST', { origin: 'http://panel.example' }, false],
    ['POST', { origin: 'http://panel.example:3001' }, false],
    ['POST', { origin: 'http://evil.example' }, false],
    ['GET', { origin: 'http://evil.example' }, false],
    ['POST', { origin: 'null' }, false],
    ['POST', { origin: '' }, false],
    ['POST', { origin: host }, false],
    ['POST', { origin: `http://${host}/` }, false],
    ['POST', { origin: `http://evil.example@${host}` }, false],
    ['POST', { origin: `http://evil.example, http://${host}` }, false],
    ['POST', { origin: `ftp://${host}` }, false],
    ['POST', { origin: 'https://a.example', host: 'a.example:443' }, true],
    ['POST', { origin: 'http://a.example', host: 'a.example:80' }, true],
    ['POST', { origin: 'http://a.example', host: 'a.example:443' }, false],
    ['POST', { origin: 'http://[::1]:3000', host: '[::1]:3000' }, true],
    ['POST', { origin: 'http://', host: '' }, false],
  ];
  for (const [method, headers, expected] of cases) {
    it(`says ${expected} to ${method} with ${JSON.stringify(headers)}`, () => {
      assert.equal(isSameOrigin(method, { host, ...headers }), expected);
    });
  }
  it('refuses an Origin where there is no Host to compare with', () => {
    assert.equal(isSameOrigin('POST', { origin: 'http://a.example' }), false);
    assert.equal(isSameOrigin(undefined, { 'sec-fetch-site': 'none' }), false);
  });
});
