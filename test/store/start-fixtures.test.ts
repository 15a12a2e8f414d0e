import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { signIn } from '../helpers/start-app.ts';
import { runServer } from '../helpers/start-server.ts';
import { goodVersions, makeFolder, sha256 } from './fixture.ts';
import { ENV, prepareServer, refusalOf, storageOf } from './server-command.ts';

const command = prepareServer();
const { good, backup } = await goodVersions();

const cut = (share: number) => (): Buffer => good.subarray(0, Math.floor(good.length * share));
const text = (content: string) => (): Buffer => Buffer.from(content);

/** What a start may find in the place of the database, whether a backup may stand in for it, and what it says. */
const CORRUPT: readonly [name: string, content: () => Buffer, mayRecover: boolean, message: RegExp][] = [
  ['cut at 25 %', cut(0.25), true, /not complete JSON/],
  ['cut at 50 %', cut(0.5), true, /not complete JSON/],
  ['cut at 75 %', cut(0.75), true, /not complete JSON/],
  ['cut at 99 %', cut(0.99), true, /not complete JSON/],
  ['NULs', () => Buffer.alloc(good.length), true, /not complete JSON/],
  ['a byte order mark', () => Buffer.concat([Buffer.from('\ufeff'), good]), false, /byte order mark/],
  ['bad UTF-8', () => Buffer.from(good).fill(0xff, 200, 203), true, /not UTF-8/],
  ['null', text('null'), true, /not an object/],
  ['[]', text('[]'), true, /not an object/],
  ['"x"', text('"x"'), true, /not an object/],
  [
    'a member twice',
    () => Buffer.from(good.toString().replace('"generation"', '"generation":1,"generation"')),
    false,
    /stands twice/,
  ],
  ['a newer schema', text('{"schemaVersion":99,"providers":[]}'), false, /newer version.*Update the program/],
];

/** The start ends with code 1 and one line, and the folder is as it was. */
async function assertRefused(t: TestContext, path: string, message: RegExp): Promise<void> {
  const folder = join(path, '..');
  const names = readdirSync(folder).sort();
  const original = sha256(readFileSync(path));
  const run = runServer(t, { command, folder, env: ENV });
  assert.deepEqual(await refusalOf(run), [1, null], run.stdout());
  assert.match(run.stderr(), /^[^\n]+\n$/);
  assert.match(run.stderr(), message);
  assert.equal(sha256(readFileSync(path)), original);
  assert.deepEqual(readdirSync(folder).sort(), names);
}

describe('a database that cannot be used ends the start, and stays', () => {
  for (const [name, content, , message] of CORRUPT) {
    test(name, async (t) => {
      const path = join(makeFolder(), 'ipin-proxy.db');
      writeFileSync(path, content());
      await assertRefused(t, path, message);
    });
  }

  test('200 MB', async (t) => {
    const path = join(makeFolder(), 'ipin-proxy.db');
    writeFileSync(path, '{"providers":[');
    truncateSync(path, 200 * 1024 * 1024);
    await assertRefused(t, path, /larger than 64 MiB/);
  });

  test('0 bytes, where a server that was killed had stored something', async (t) => {
    const folder = makeFolder();
    const path = join(folder, 'ipin-proxy.db');
    const run = runServer(t, { command, folder, env: ENV });
    await run.listening;
    await run.kill('SIGKILL');
    truncateSync(path, 0);
    for (const name of readdirSync(folder)) if (name.includes('.bak-')) rmSync(join(folder, name));
    const second = runServer(t, { command, folder, env: ENV });
    assert.deepEqual(await refusalOf(second), [1, null], second.stdout());
    assert.match(second.stderr(), /^The database .* it is empty, and no good backup is beside it\..*\n$/);
    assert.equal(statSync(path).size, 0);
  });
});

describe('with a good backup beside it', () => {
  for (const [name, content, mayRecover, message] of CORRUPT) {
    if (name !== 'cut at 50 %' && name !== 'null' && mayRecover) continue;
    test(`${name}: ${mayRecover ? 'the backup is used, and that is said aloud' : 'the start is refused'}`, async (t) => {
      const folder = makeFolder();
      const path = join(folder, 'ipin-proxy.db');
      writeFileSync(path, content());
      writeFileSync(`${path}.bak-3`, backup);
      if (!mayRecover) return assertRefused(t, path, message);
      const run = runServer(t, { command, folder, env: ENV });
      assert.equal(await storageOf(run), 'recovered');
      assert.match(run.stdout(), /"level":"error","event":"store.recovered"/);
      const token = await signIn(await run.listening);
      const headers = { authorization: `Bearer ${token}` };
      const status = await fetch(`${await run.listening}/api/admin/status`, { headers });
      assert.match(await status.text(), /"code":"storage_recovered"/);
      const aside = readdirSync(folder).filter((entry) => entry.includes('.corrupt-'));
      assert.deepEqual(readFileSync(join(folder, aside[0] ?? '')), content());
    });
  }
});
