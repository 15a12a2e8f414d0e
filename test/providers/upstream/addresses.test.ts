// Which addresses are tried, what the server learns of the name, and whom its certificate has to name.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type LookupFunction, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { hasOpenssl, type SignedCertificate, signedCertificate } from '../../helpers/certificate.ts';
import { type Sender, startSender } from '../../helpers/sender.ts';
import { closeAfter } from '../../helpers/teardown.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

interface Listening {
  readonly port: number;
  /** What the server saw of each request: the server name of TLS, whether its session was known, and the host. */
  readonly seen: unknown[];
}

async function listen(t: TestContext, address: string, tls: SignedCertificate | null): Promise<Listening> {
  const seen: unknown[] = [];
  const answer = (socket: Socket): void => {
    socket.on('error', () => {});
    socket.once('data', (bytes: Buffer) => {
      const host = /^host: (.*)\r$/m.exec(bytes.toString('latin1'))?.[1];
      const { servername, isSessionReused } = socket as TLSSocket & { servername?: string | false };
      seen.push(tls === null ? [host] : [host, servername, isSessionReused.call(socket)]);
      socket.end(ANSWER);
    });
  };
  const server: Server = tls === null ? createServer(answer) : createTlsServer(tls, answer);
  server.on('tlsClientError', () => {});
  server.listen(0, address);
  await once(server, 'listening');
  closeAfter(t, () => void server.close());
  return { port: (server.address() as AddressInfo).port, seen };
}

/** As a name server that knows several addresses. */
function resolveTo(sender: Sender, ...addresses: readonly string[]): void {
  const lookup: LookupFunction = (_name, _options, callback) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() => callback(null, found));
  };
  Object.assign(sender.provider.connection.pool.options, { lookup });
}

for (const scheme of ['http', 'https'] as const) {
  const isTls = scheme === 'https';

  describe(`an address (${scheme})`, { skip: isTls && !hasOpenssl() && 'openssl is not installed' }, () => {
    const names = 'DNS:two.test,IP:127.0.0.1,IP:::1';

    for (const [host, address] of [
      ['127.0.0.1', '127.0.0.1'],
      ['[::1]', '::1'],
    ] as const) {
      const skip = address === '::1' && !hasIpv6 && 'this machine has no IPv6';
      test(`instead of a name: ${host}`, { skip }, async (t) => {
        const tls = isTls ? signedCertificate(t, names) : null;
        const { port, seen } = await listen(t, address, tls);
        const sender = startSender(t, `${scheme}://${host}:${port}`, { ca: tls?.ca });
        assert.equal(await sender.ask('hello'), 'ok');
        assert.deepEqual(seen, [isTls ? [`${host}:${port}`, false, false] : [`${host}:${port}`]]);
      });
    }

    for (const addresses of [
      ['127.0.0.2', '127.0.0.1'],
      ['::1', '127.0.0.1'],
      ['127.0.0.1', '127.0.0.2'],
    ]) {
      test(`of several is used that accepts: ${addresses.join(', ')}`, async (t) => {
        const tls = isTls ? signedCertificate(t, names) : null;
        const { port, seen } = await listen(t, '127.0.0.1', tls);
        const sender = startSender(t, `${scheme}://two.test:${port}`, { ca: tls?.ca });
        resolveTo(sender, ...addresses);
        assert.equal(await sender.ask('hello'), 'ok');
        assert.deepEqual(seen, [isTls ? [`two.test:${port}`, 'two.test', false] : [`two.test:${port}`]]);
      });
    }
  });
}

describe('a certificate', { skip: !hasOpenssl() && 'openssl is not installed' }, () => {
  for (const [names, host, isValid] of [
    ['DNS:two.test', 'two.test', true],
    ['DNS:*.two.test', 'one.two.test', true],
    ['DNS:*.two.test', 'two.test', false],
    ['DNS:one.test', 'two.test', false],
    ['IP:127.0.0.1', 'two.test', false],
    ['IP:127.0.0.1', '127.0.0.1', true],
    ['DNS:127.0.0.1', '127.0.0.1', false],
    ['DNS:two.test', '127.0.0.1', false],
  ] as const) {
    test(`for ${names} is ${isValid ? 'good' : 'refused'} for ${host}, also when asked again`, async (t) => {
      const tls = signedCertificate(t, names);
      const { port, seen } = await listen(t, '127.0.0.1', tls);
      const sender = startSender(t, `https://${host}:${port}`, { ca: tls.ca });
      resolveTo(sender, '127.0.0.1');
      for (const isReused of [false, true]) {
        if (isValid) {
          assert.equal(await sender.ask('hello'), 'ok');
          assert.deepEqual((seen.at(-1) as unknown[]).at(-1), isReused);
        } else {
          const { message, mayHaveRun } = await sender.failureOf('hello');
          assert.match(message, /ERR_TLS_CERT_ALTNAME_INVALID.*not valid for this address/);
          assert.deepEqual([mayHaveRun, seen], [false, []]);
        }
      }
    });
  }

  test('of an unknown authority is refused, and sees no request', async (t) => {
    const { port, seen } = await listen(t, '127.0.0.1', signedCertificate(t, 'DNS:two.test'));
    const sender = startSender(t, `https://two.test:${port}`);
    resolveTo(sender, '127.0.0.1');
    assert.match((await sender.failureOf('hello')).message, /certificate is not valid/);
    assert.deepEqual(seen, []);
  });
});
