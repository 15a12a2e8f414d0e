import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { makeTestFolder, runServer, startServer } from './helpers/start-server.ts';

test('a word that is none: one line, and nothing is started', { timeout: 60_000 }, async (t) => {
  const folder = makeTestFolder(t);
  const run = runServer(t, { folder, env: {}, words: ['dmeo'] });
  assert.deepEqual(await run.ended, [1, null]);
  assert.equal(run.stdout() + run.stderr(), 'There is no "dmeo". Use: node server.js [demo]\n');
  assert.deepEqual(readdirSync(folder), []);
});

test('a port that is taken: one line, exit code 1, and the database is free again', {
  timeout: 60_000,
}, async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const folder = makeTestFolder(t);
  const env = {
    DB_PATH: 'data.db',
    LOG_LEVEL: 'info',
    MASTER_API_KEY: 'sk-0123456789abcdef0123456789abcdef',
  };
  const refused = runServer(t, { folder, env: { ...env, PORT: String(port) } });
  assert.deepEqual(await refused.ended, [1, null]);
  assert.equal(
    refused.stderr(),
    `Cannot listen on 127.0.0.1:${port}. Another program uses it: stop it, or set PORT to another number.\n`,
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => /lock|sock/.test(name)),
    [],
  );
  const server = await startServer(t, { folder, env });
  assert.equal(await server.stop(), 0);
});
