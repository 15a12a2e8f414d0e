import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certificate, hasOpenssl } from '../helpers/certificate.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

async function chatError(app: AppUnderTest): Promise<{ status: number; code: string; message: string }> {
  const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  return { status: answer.status, code: error.code, message: error.message };
}

describe('a redirect of an upstream', { timeout: 20_000 }, () => {
  for (const status of [301, 302, 303, 307, 308]) {
    test(`${status} is not followed: 502`, async (t) => {
      const canary = await startUpstream(t, json(CHAT_ANSWER));
      const upstream = await startUpstream(t, (_req, res) =>
        res.writeHead(status, { location: `${canary.origin}/v1/chat/completions` }).end(),
      );
      const app = await startApp(t);
      await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'provider-secret' }, [{ id: 'm' }]);
      const { message, ...rest } = await chatError(app);
      assert.deepEqual(rest, { status: 502, code: 'upstream_invalid_response' });
      assert.match(message, /redirect/);
      assert.equal(canary.sockets.size, 0);
      assert.equal(canary.received.length, 0);
    });
  }
});

describe('an upstream over TLS', {
  timeout: 20_000,
  skip: !hasOpenssl() && 'openssl is not installed',
}, () => {
  for (const [what, name] of [
    ['a self-signed certificate', 'localhost'],
    ['a certificate of another host', 'other.example'],
  ] as const) {
    test(`with ${what} is refused: 502, and nothing is sent to it`, async (t) => {
      let requests = 0;
      const server = createServer(certificate(t, name, 2), (_req, res) => {
        requests += 1;
        res.end('{}');
      }).listen(0, '127.0.0.1');
      server.on('tlsClientError', () => {});
      await once(server, 'listening');
      t.after(() => server.close());
      const app = await startApp(t);
      const baseUrl = `https://localhost:${(server.address() as AddressInfo).port}`;
      await app.addProvider({ id: 'up', baseUrl, apiKey: 'provider-secret' }, [{ id: 'm' }]);
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
      const { message, ...rest } = await chatError(app);
      assert.deepEqual(rest, { status: 502, code: 'upstream_unreachable' });
      assert.match(message, /CERT|ALTNAME/);
      assert.equal(requests, 0);
    });
  }
});

test('no source file turns certificate checks off', () => {
  const root = join(import.meta.dirname, '../../src');
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const source = readFileSync(join(root, name), 'utf8');
    assert.doesNotMatch(
      source,
      /rejectUnauthorized:\s*false|NODE_TLS_REJECT_UNAUTHORIZED|checkServerIdentity/,
      name,
    );
  }
});
