import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger } from '../../src/logger.ts';
import { openRequestLog } from '../../src/usage/request-log.ts';
import { makeEntry } from '../helpers/entries.ts';
import { ADMIN, expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, runServer } from '../helpers/start-server.ts';

test('the program shows the requests of earlier runs, whatever happened to the files, and keeps no more than asked for', {
  timeout: 60_000,
}, async (t) => {
  const folder = makeTestFolder(t);
  const path = join(folder, 'ipin.db');
  const usage = `${path}.usage`;
  const logger = createLogger({ level: 'silent', now: Date.now, write: () => {} });
  const log = await openRequestLog({ folder: usage, limitBytes: 1024 * 1024, logger });
  for (let number = 0; number < 50; number++) log.add(makeEntry({ id: `req_${number}` }));
  await log.close();
  const [name = ''] = readdirSync(usage);
  appendFileSync(join(usage, name), 'a torn li');
  if (process.platform !== 'win32') {
    assert.equal(statSync(usage).mode & 0o777, 0o700);
    assert.equal(statSync(join(usage, name)).mode & 0o777, 0o600);
  }
  const login = { UI_USERNAME: ADMIN.username, UI_PASSWORD: ADMIN.password };
  const env = { ...login, DB_PATH: path, SHUTDOWN_GRACE_MS: '0' };

  const first = runServer(t, { folder, env });
  const origin = await first.listening;
  const asAdmin = jsonRequest('GET', `Bearer ${await signIn(origin)}`);
  const list = await expectStatus(200, await fetch(`${origin}/api/admin/requests?limit=2`, asAdmin));
  const { data, next } = list as { data: { id: string }[]; next: string };
  assert.deepEqual([data.map(({ id }) => id), next], [['req_49', 'req_48'], 'req_48']);
  const metrics = await (await fetch(`${origin}/metrics`, asAdmin)).text();
  assert.match(metrics, /^ipin_request_log_bytes [1-9]\d+$/m);
  assert.match(metrics, /^nodejs_eventloop_lag_p99_seconds \d/m);
  assert.deepEqual(await first.kill('SIGTERM'), [0, null]);

  const second = runServer(t, { folder, env: { ...env, REQUEST_LOG_MB: '0' } });
  await second.listening;
  assert.deepEqual(await second.kill('SIGTERM'), [0, null]);
  assert.deepEqual(readdirSync(usage), []);
});
