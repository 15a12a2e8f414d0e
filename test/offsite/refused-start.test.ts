import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import type { Environment } from '../../src/config.ts';
import { startS3 } from '../helpers/s3-stand-in.ts';
import { makeTestFolder, runServer } from '../helpers/start-server.ts';
import { documentOf, sharedSeal } from './fixture.ts';
import { startPutGet } from './put-get-server.ts';
import { BASE, s3Environment } from './server-process.ts';

describe('a start that only a person can mend: exit code 1 and one line', () => {
  const rows: readonly [string, (t: TestContext) => Promise<Environment>, RegExp][] = [
    [
      'a token that is refused',
      async (t) => {
        const served = await startPutGet(t);
        served.token = 'right';
        return { SNAPSHOT_URL: served.url, SNAPSHOT_TOKEN: 'wrong' };
      },
      /^The snapshot cannot be read or written\. 127\.0\.0\.1:\d+ answers GET with 403: set SNAPSHOT_TOKEN to a token that may read \(GET\) and write \(PUT\) the address in SNAPSHOT_URL\.$/,
    ],
    [
      'a bucket that is not there',
      async (t) => s3Environment(await startS3(t), 'missing'),
      /^The snapshot cannot be read or written\. .* 404 NoSuchBucket: make the bucket missing, or set SNAPSHOT_URL to another one\.$/,
    ],
    [
      'another SNAPSHOT_KEY',
      async (t) => {
        const served = await startPutGet(t);
        served.body = await sharedSeal.seal(documentOf(7), { generation: 7, writer: 1 });
        return { SNAPSHOT_URL: served.url, SNAPSHOT_KEY: 'not the one of then' };
      },
      /^The object at SNAPSHOT_URL cannot be opened with SNAPSHOT_KEY; set the key that it was made with\. To start without it, move it away or set another SNAPSHOT_URL\.$/,
    ],
    [
      'plain http to another machine',
      async () => ({ SNAPSHOT_URL: 'http://files.example/state' }),
      /^SNAPSHOT_URL must be https:\/\/\.\.\. \(http only on loopback\) or s3:\/\/bucket\/key\.$/,
    ],
  ];
  for (const [what, makeEnvironment, line] of rows) {
    test(what, { timeout: 30_000 }, async (t) => {
      const folder = makeTestFolder(t);
      const env = { ...BASE, LOG_LEVEL: 'silent', ...(await makeEnvironment(t)) };
      const server = runServer(t, { folder, env });
      assert.deepEqual(await server.ended, [1, null]);
      assert.match((server.stdout() + server.stderr()).trimEnd(), line);
      assert.deepEqual(readdirSync(folder), []);
    });
  }
});
