import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import {
  clientAddress,
  isLocalRequest,
  isSameOrigin,
  isSecure,
  type RequestOrigin,
} from '../../src/http/client-address.ts';

const PEER = '192.0.2.9';

function originOf(headers: Record<string, string> = {}, facts: Partial<RequestOrigin> = {}): RequestOrigin {
  const rawHeaders = Object.entries(headers).flat();
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { remoteAddress: PEER, httpVersion: '1.1', headers: lower, rawHeaders, ...facts };
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
      assert.equal(clientAddress(originOf(headers), hops), expected);
    });
  }

  it('normalises the peer and copes with a closed socket', () => {
    assert.equal(clientAddress(originOf({}, { remoteAddress: '::ffff:192.0.2.9' }), 0), '192.0.2.9');
    assert.equal(clientAddress(originOf({}, { remoteAddress: undefined }), 0), 'unknown');
  });

  it('cannot be moved by what a client writes, once the proxies have appended theirs', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 4 }), (forged, hops) => {
        const appended = ['203.0.113.1', '198.51.100.1', '198.51.100.2', '198.51.100.3'].slice(0, hops);
        const header = [forged, ...appended].join(', ');
        assert.equal(clientAddress(originOf({ 'X-Forwarded-For': header }), hops), '203.0.113.1');
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
        isSecure(originOf(proto === undefined ? {} : { 'X-Forwarded-Proto': proto }), hops),
        expected,
      );
    });
  }
});

describe('isLocalRequest()', () => {
  const local = { remoteAddress: '127.0.0.1' };
  const host = { Host: 'localhost:3000' };

  for (const remoteAddress of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1']) {
    it(`believes the peer ${remoteAddress}`, () => {
      assert.equal(isLocalRequest(originOf(host, { remoteAddress }), 0), true);
    });
  }
  for (const remoteAddress of [
    '192.168.0.1',
    '10.0.0.1',
    '::2',
    '172.17.0.1',
    '::ffff:10.0.0.1',
    '128.0.0.1',
    undefined,
  ]) {
    it(`does not believe the peer ${remoteAddress}`, () => {
      assert.equal(isLocalRequest(originOf(host, { remoteAddress }), 0), false);
    });
  }
  for (const name of [
    'localhost',
    'LOCALHOST',
    'localhost:1',
    '127.0.0.1',
    '127.0.0.1:3000',
    '[::1]',
    '[::1]:65535',
  ]) {
    it(`accepts Host ${name}`, () => {
      assert.equal(isLocalRequest(originOf({ Host: name }, local), 0), true);
    });
  }
  const foreignHosts = [
    'evil.example',
    'localhost.evil.example',
    'localhost.',
    '127.0.0.2',
    '::1',
    '0.0.0.0',
    '',
    'localhost:',
    'localhost:3000@evil.example',
    ' localhost',
    'localhost:999999',
    '[::1',
    'localhost\n',
  ];
  for (const name of foreignHosts) {
    it(`refuses Host ${JSON.stringify(name)}`, () => {
      assert.equal(isLocalRequest(originOf({ Host: name }, local), 0), false);
    });
  }
  const marks = [
    'Forwarded',
    'X-Forwarded-For',
    'x-forwarded-proto',
    'X-FORWARDED-HOST',
    'X-Forwarded-',
    'X-Real-IP',
    'Via',
    'CF-Connecting-IP',
    'cf-ray',
    'True-Client-IP',
    'Fly-Client-IP',
    'fly-region',
  ];
  for (const mark of marks) {
    for (const value of ['127.0.0.1', '']) {
      it(`refuses ${mark}: ${JSON.stringify(value)}`, () => {
        assert.equal(isLocalRequest(originOf({ ...host, [mark]: value }, local), 0), false);
      });
    }
  }
  const newMarks = [
    'X-Client-IP',
    'X-Envoy-External-Address',
    'x-envoy-attempt-count',
    'X-Original-Host',
    'x-original-forwarded-for',
    'Tailscale-User-Login',
    'tailscale-headers-info',
  ];
  for (const mark of newMarks) {
    it(`B1: refuses ${mark}`, () => {
      assert.equal(isLocalRequest(originOf({ ...host, [mark]: '' }, local), 0), false);
      assert.equal(isLocalRequest(originOf({ ...host, [mark]: 'x' }, local), 0), false);
    });
  }
  const ownPages = [
    'http://localhost',
    'http://localhost:3000',
    'https://localhost:8443',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'HTTP://LOCALHOST:3000',
  ];
  const foreignPages = [
    'https://evil.example',
    'http://localhost.evil.example',
    'http://evil.example/?http://localhost',
    'http://localhost:3000@evil.example/',
    'http://localhost:@evil.example',
    'http://localhost\\@evil.example',
    'http://127.0.0.1.evil.example',
    'http://127.0.0.2:3000',
    'http://192.168.0.1:3000',
    'localhost:3000',
    'ftp://localhost',
    'file://',
    'chrome-extension://localhost',
    'null',
    '',
    'http://localhost:3000, https://evil.example',
  ];
  for (const name of ['Origin', 'Referer']) {
    for (const page of ownPages) {
      it(`B1, B2: accepts ${name}: ${page}`, () => {
        const path = name === 'Referer' ? '/admin.html?x#y' : '';
        assert.equal(isLocalRequest(originOf({ ...host, [name]: page + path }, local), 0), true);
      });
    }
    for (const page of foreignPages) {
      it(`B1, B2: refuses ${name}: ${JSON.stringify(page)}`, () => {
        assert.equal(isLocalRequest(originOf({ ...host, [name]: page }, local), 0), false);
      });
    }
  }
  const sites: Record<string, boolean> = {
    'same-origin': true,
    none: true,
    'same-site': false,
    'cross-site': false,
    'same-origin, cross-site': false,
    '': false,
  };
  for (const [site, expected] of Object.entries(sites)) {
    it(`B1, B2: says ${expected} to Sec-Fetch-Site: ${JSON.stringify(site)}`, () => {
      assert.equal(isLocalRequest(originOf({ ...host, 'Sec-Fetch-Site': site }, local), 0), expected);
    });
  }
  it('B1, B2: looks at each of several Origins', () => {
    const origins = ['Origin', 'http://localhost', 'origin', 'https://evil.example'];
    const rawHeaders = ['Host', 'localhost', ...origins];
    assert.equal(isLocalRequest(originOf(host, { ...local, rawHeaders }), 0), false);
  });

  it('lets headers pass that only look alike', () => {
    const alike = {
      ...host,
      'X-Via': '1',
      'x-forwarded': '1',
      'forwarded-for': '1',
      cfx: '1',
      'x-real-ip-2': '1',
      'x-client-ip-2': '1',
      'x-originals': '1',
      tailscale: '1',
    };
    assert.equal(isLocalRequest(originOf(alike, local), 0), true);
  });
  it('refuses trusted hops, other HTTP versions, no Host, two Hosts', () => {
    assert.equal(isLocalRequest(originOf(host, local), 1), false);
    assert.equal(isLocalRequest(originOf(host, { ...local, httpVersion: '1.0' }), 0), false);
    assert.equal(isLocalRequest(originOf(host, { ...local, httpVersion: '2.0' }), 0), false);
    assert.equal(isLocalRequest(originOf({}, local), 0), false);
    const rawHeaders = ['Host', 'localhost', 'host', 'localhost'];
    assert.equal(isLocalRequest(originOf(host, { ...local, rawHeaders }), 0), false);
    const mixed = ['Host', 'localhost', 'host', 'evil.example'];
    assert.equal(isLocalRequest(originOf(host, { ...local, rawHeaders: mixed }), 0), false);
  });

  it('sees through a client that buries the mark of a proxy under thousands of headers', async (t) => {
    const answers = await requestRaw(t, [
      `GET / HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: localhost\r\n${'a:b\r\n'.repeat(2000)}X-Forwarded-For: 203.0.113.1\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: localhost\r\n__proto__: x\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: localhost\r\n__proto__: x\r\n\r\n`,
    ]);
    assert.deepEqual(answers, ['true', 'false', 'false', 'true']);
  });
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

/** Sends requests to a server that answers with what isLocalRequest() says, one connection each. */
async function requestRaw(t: TestContext, requests: readonly string[]): Promise<string[]> {
  const server = createServer((req, res) => {
    const { httpVersion, headers, rawHeaders } = req;
    const origin = { remoteAddress: req.socket.remoteAddress, httpVersion, headers, rawHeaders };
    res.end(String(isLocalRequest(origin, 0)));
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Promise.all(
    requests.map(async (request) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      return answer.includes('true') ? 'true' : 'false';
    }),
  );
}
