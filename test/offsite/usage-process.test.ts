import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startS3 } from '../helpers/s3-stand-in.ts';
import { expectStatus, jsonRequest, MASTER_KEY, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, startServer } from '../helpers/start-server.ts';
import { BASE, s3Environment } from './server-process.ts';

interface Answer {
  readonly totals: { readonly requests: number };
  readonly data: readonly { readonly model: string; readonly keyName: string }[];
}

interface Run {
  /** A call that fails, because its provider is disabled. */
  call(): Promise<void>;
  usage(): Promise<Answer>;
  status(): Promise<{
    readonly snapshot: { readonly usage?: { readonly lastResult: string | null } } | null;
  }>;
  stop(): Promise<number | null>;
}

async function run(t: TestContext, folder: string, env: Record<string, string | undefined>): Promise<Run> {
  const server = await startServer(t, { folder, env: { ...BASE, ...env } });
  const token = await signIn(server.origin);
  const admin = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(server.origin + path, jsonRequest(method, `Bearer ${token}`, body));
    return await expectStatus(method === 'POST' ? 201 : 200, response);
  };
  const { data } = (await admin('GET', '/api/admin/providers')) as { data: { id: string }[] };
  if (!data.some(({ id }) => id === 'acme')) {
    const provider = { id: 'acme', name: 'Acme', baseUrl: 'http://127.0.0.1:9/v1', enabled: false };
    await admin('POST', '/api/admin/providers', provider);
    await admin('POST', '/api/admin/models', { id: 'large', name: 'Large', providerId: 'acme' });
  }
  return {
    async call() {
      const body = { model: 'large', messages: [{ role: 'user', content: 'Hi' }] };
      const url = `${server.origin}/v1/chat/completions`;
      await expectStatus(503, await fetch(url, jsonRequest('POST', `Bearer ${MASTER_KEY}`, body)));
    },
    usage: async () => (await admin('GET', '/api/admin/usage?groupBy=model,key')) as Answer,
    status: async () => (await admin('GET', '/api/admin/status')) as Awaited<ReturnType<Run['status']>>,
    stop: () => server.stop(),
  };
}

test('SIGTERM right after a call loses nothing', { timeout: 60_000 }, async (t) => {
  const folder = makeTestFolder(t);
  const first = await run(t, folder, {});
  await first.call();
  assert.equal(await first.stop(), 0);
  assert.ok(readdirSync(folder).includes('ipin-proxy.db.usage'));
  const second = await run(t, folder, {});
  await second.call();
  const { totals, data } = await second.usage();
  assert.equal(totals.requests, 2);
  assert.deepEqual([data[0]?.model, data[0]?.keyName], ['large', 'Master key']);
  await second.stop();
});

test('an empty disk gets the usage back from the copy beside the snapshot', {
  timeout: 60_000,
}, async (t) => {
  const s3 = await startS3(t);
  const folder = makeTestFolder(t);
  const first = await run(t, folder, s3Environment(s3));
  await first.call();
  assert.equal(await first.stop(), 0);
  assert.ok(s3.objects.has('/bucket/state.usage'));
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  const second = await run(t, folder, s3Environment(s3));
  assert.equal((await second.usage()).totals.requests, 1);
  assert.equal((await second.status()).snapshot?.usage?.lastResult, null);
  await second.stop();
});
