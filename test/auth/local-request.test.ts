import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { isLocalRequest, type RequestHead } from '../../src/auth/local-access.ts';

function requestWith(headers: Record<string, string> = {}, facts: Partial<RequestHead> = {}): RequestHead {
  const rawHeaders = Object.entries(headers).flat();
  return { socket: { remoteAddress: '192.0.2.9' }, httpVersion: '1.1', rawHeaders, ...facts };
}

describe('isLocalRequest()', () => {
  const local = { socket: { remoteAddress: '127.0.0.1' } };
  const host = { Host: 'localhost:3000' };

  for (const remoteAddress of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1']) {
    it(`believes the peer ${remoteAddress}`, () => {
      assert.equal(isLocalRequest(requestWith(host, { socket: { remoteAddress } }), 0), true);
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
      assert.equal(isLocalRequest(requestWith(host, { socket: { remoteAddress } }), 0), false);
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
      assert.equal(isLocalRequest(requestWith({ Host: name }, local), 0), true);
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
      assert.equal(isLocalRequest(requestWith({ Host: name }, local), 0), false);
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
        assert.equal(isLocalRequest(requestWith({ ...host, [mark]: value }, local), 0), false);
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
      assert.equal(isLocalRequest(requestWith({ ...host, [mark]: '' }, local), 0), false);
      assert.equal(isLocalRequest(requestWith({ ...host, [mark]: 'x' }, local), 0), false);
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
        assert.equal(isLocalRequest(requestWith({ ...host, [name]: page + path }, local), 0), true);
      });
    }
    for (const page of foreignPages) {
      it(`B1, B2: refuses ${name}: ${JSON.stringify(page)}`, () => {
        assert.equal(isLocalRequest(requestWith({ ...host, [name]: page }, local), 0), false);
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
      assert.equal(isLocalRequest(requestWith({ ...host, 'Sec-Fetch-Site': site }, local), 0), expected);
    });
  }
  it('B1, B2: looks at each of several Origins', () => {
    const origins = ['Origin', 'http://localhost', 'origin', 'https://evil.example'];
    const rawHeaders = ['Host', 'localhost', ...origins];
    assert.equal(isLocalRequest(requestWith(host, { ...local, rawHeaders }), 0), false);
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
    assert.equal(isLocalRequest(requestWith(alike, local), 0), true);
  });
  it('refuses trusted hops, other HTTP versions, no Host, two Hosts', () => {
    assert.equal(isLocalRequest(requestWith(host, local), 1), false);
    assert.equal(isLocalRequest(requestWith(host, { ...local, httpVersion: '1.0' }), 0), false);
    assert.equal(isLocalRequest(requestWith(host, { ...local, httpVersion: '2.0' }), 0), false);
    assert.equal(isLocalRequest(requestWith({}, local), 0), false);
    const rawHeaders = ['Host', 'localhost', 'host', 'localhost'];
    assert.equal(isLocalRequest(requestWith(host, { ...local, rawHeaders }), 0), false);
    const mixed = ['Host', 'localhost', 'host', 'evil.example'];
    assert.equal(isLocalRequest(requestWith(host, { ...local, rawHeaders: mixed }), 0), false);
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

/** Sends requests to a server that answers with what isLocalRequest() says, one connection each. */
async function requestRaw(t: TestContext, requests: readonly string[]): Promise<string[]> {
  const server = createServer((req, res) => {
    res.end(String(isLocalRequest(req, 0)));
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
