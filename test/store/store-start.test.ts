import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { StoreStartError } from '../../src/store/document-error.ts';
import { captureLog, goodVersions, makeFolder, openStore } from './fixture.ts';
import { makeApiKey, withApiKey } from './store-contract.ts';

const { good, backup } = await goodVersions();

const cut = (share: number) => (): Buffer => good.subarray(0, Math.floor(good.length * share));
const text = (content: string) => (): Buffer => Buffer.from(content);

/** Content that nobody could have meant: a backup may take its place. */
const DAMAGED: readonly [string, () => Buffer, RegExp][] = [
  ['cut at 25 %', cut(0.25), /not complete JSON/],
  ['cut at 50 %', cut(0.5), /not complete JSON/],
  ['cut at 75 %', cut(0.75), /not complete JSON/],
  ['cut at 99 %', cut(0.99), /not complete JSON/],
  ['NULs', () => Buffer.alloc(good.length), /not complete JSON/],
  ['NULs in the middle', () => Buffer.from(good).fill(0, 100, 400), /not complete JSON/],
  ['bad UTF-8', () => Buffer.from(good).fill(0xff, 200, 203), /not UTF-8/],
  ['null', text('null'), /not an object/],
  ['a list', text('[]'), /not an object/],
  ['a text', text('"x"'), /not an object/],
  [
    'deep nesting',
    text(`{"providers":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
    /nested|not complete JSON/,
  ],
  [
    'a binary file',
    () => Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4096, 0x9f)]),
    /not UTF-8/,
  ],
];

/** Content of somebody: only he can decide. */
const REFUSED: readonly [string, () => Buffer, RegExp][] = [
  [
    'a byte order mark',
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), good]),
    /byte order mark.*without one/,
  ],
  [
    'a member twice',
    () => replaced('"generation"', '"generation":1,"generation"'),
    /"generation" stands twice/,
  ],
  ['a changed byte', () => replaced('"Key a"', '"Key A"'), /checksum.*remove its "checksum" line/],
  ['a newer version', text('{"schemaVersion":4,"providers":[]}'), /newer version.*Update the program/],
  ['a version that is no number', text('{"schemaVersion":"1"}'), /schemaVersion/],
  [
    "another program's JSON",
    text('{"name":"left-pad","version":"1.0.0"}'),
    /not a database of this program.*DB_PATH/,
  ],
  ['an empty object', text('{}'), /not a database of this program/],
  [
    'a record of a wrong type',
    () => withoutChecksum('"enabled":false', '"enabled":"no"'),
    /providers\[0\]\.enabled is not/,
  ],
  ['a key twice', () => withoutChecksum('"id":"b"', '"id":"a"'), /apiKeys\[1\] is there twice/],
  [
    "B6: a key that could not be withdrawn, because it has the master key's id",
    () => withoutChecksum('"id":"b"', '"id":"master"'),
    /apiKeys\[1\]\.id is not .*"master" is the master key's/,
  ],
  [
    'B6: an id that no address can name',
    () => withoutChecksum('"id":"b"', '"id":".."'),
    /apiKeys\[1\]\.id is not/,
  ],
];

function replaced(from: string, to: string): Buffer {
  const content = good.toString();
  assert.ok(content.includes(from));
  return Buffer.from(content.replace(from, to));
}

function withoutChecksum(from: string, to: string): Buffer {
  return Buffer.from(
    replaced(from, to)
      .toString()
      .replace(/"checksum":"[^"]*",\n/, ''),
  );
}

/** Tries to start on a file; what the refusal says. */
async function refusal(path: string): Promise<string> {
  const error: unknown = await openStore(path).then(
    () => null,
    (reason) => reason,
  );
  assert.ok(error instanceof StoreStartError, String(error));
  assert.doesNotMatch(error.message, /\n/);
  return error.message;
}

describe('a file that cannot be used, and no backup', () => {
  for (const [name, content, message] of [...DAMAGED, ...REFUSED]) {
    test(`${name}: the start is refused in one line, the file stays`, async () => {
      const folder = makeFolder();
      const path = join(folder, 'ipin-proxy.db');
      writeFileSync(path, content());
      assert.match(await refusal(path), message);
      assert.deepEqual(readFileSync(path), content());
      assert.deepEqual(readdirSync(folder), ['ipin-proxy.db']);
    });
  }
});

describe('a file that cannot be used, with a backup', () => {
  for (const [name, content] of DAMAGED) {
    test(`${name}: the backup is used, loudly, and the file kept aside`, async () => {
      const folder = makeFolder();
      const path = join(folder, 'ipin-proxy.db');
      writeFileSync(path, content());
      writeFileSync(`${path}.bak-3`, backup);
      writeFileSync(`${path}.bak-4`, good.subarray(0, 50));
      const { lines, logger } = captureLog();
      const store = await openStore(path, { logger });
      assert.deepEqual([...store.config.view().apiKeys.keys()], ['a', 'b']);
      assert.equal(store.status().state, 'recovered');
      assert.match(store.status().message, /backup of 2026-03-01.*later changes are lost/);
      assert.ok(lines.some(({ level, event }) => level === 'error' && event === 'store.recovered'));
      const aside = readdirSync(folder).filter((entry) => entry.includes('.corrupt-'));
      assert.equal(aside.length, 1);
      assert.deepEqual(readFileSync(join(folder, aside[0] ?? '')), content());
      await changeConfig(store.config, withApiKey(makeApiKey('d')));
      await store.close();
      const again = await openStore(path);
      assert.deepEqual([again.status().state, again.config.view().apiKeys.size], ['ok', 3]);
      await again.close();
    });
  }

  for (const [name, content, message] of REFUSED) {
    test(`${name}: the start is refused all the same`, async () => {
      const path = join(makeFolder(), 'ipin-proxy.db');
      writeFileSync(path, content());
      writeFileSync(`${path}.bak-3`, backup);
      assert.match(await refusal(path), message);
      assert.deepEqual(readFileSync(path), content());
    });
  }

  test('a backup of a newer version is not passed over for an older one', async () => {
    const path = join(makeFolder(), 'ipin-proxy.db');
    writeFileSync(path, 'torn');
    writeFileSync(`${path}.bak-3`, backup);
    writeFileSync(`${path}.bak-9`, '{"schemaVersion":4,"providers":[]}');
    assert.match(await refusal(path), /bak-9 cannot be used: a newer version/);
  });
});

test('a file of 200 MB is not read, and refused', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, '{"providers":[');
  truncateSync(path, 200 * 1024 * 1024);
  assert.match(await refusal(path), /larger than 64 MiB/);
  copyFileSync(path, `${path}.bak-1`);
  assert.match(await refusal(path), /larger than 64 MiB/);
  writeFileSync(`${path}.bak-2`, backup);
  const store = await openStore(path);
  assert.equal(store.status().state, 'recovered');
  await store.close();
  assert.ok(readdirSync(join(path, '..')).some((name) => name.includes('.corrupt-')));
});

test('an empty file is a new store', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, '');
  const store = await openStore(path);
  assert.ok(store.config.view().providers.has('chutes-dots-ocr'));
  await store.close();
});

test('an empty file with a backup beside it is a torn one', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, '');
  writeFileSync(`${path}.bak-3`, backup);
  const store = await openStore(path);
  assert.equal(store.status().state, 'recovered');
  await store.close();
});

test('an empty file with an unusable backup or side copy beside it is refused', async () => {
  for (const suffix of ['.bak-3', '.side']) {
    const path = join(makeFolder(), 'ipin-proxy.db');
    writeFileSync(path, '');
    writeFileSync(path + suffix, 'torn');
    assert.match(await refusal(path), /it is empty, and no good backup/);
    assert.equal(readFileSync(path).length, 0);
  }
});

test('an empty file is a torn one if the lock of a process that had stored something is there', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const lock = {
    pid: 4_000_000,
    startTime: '1',
    bootId: 'earlier',
    pidNamespace: null,
    nonce: 'aa',
    hasSocket: false,
  };
  writeFileSync(path, '');
  writeFileSync(`${path}.lock`, JSON.stringify({ settled: 1, ...lock }));
  assert.match(await refusal(path), /it is empty, and no good backup/);

  writeFileSync(`${path}.lock`, JSON.stringify({ settled: 0, ...lock }));
  const store = await openStore(path);
  assert.ok(store.config.view().providers.has('chutes-dots-ocr'));
  await store.close();
});

test('a missing file with backups beside it comes back from them', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(`${path}.bak-3`, backup);
  const store = await openStore(path);
  assert.match(store.status().message, /it is missing/);
  assert.deepEqual([...store.config.view().apiKeys.keys()], ['a', 'b']);
  await store.close();
});

test('a torn file is completed from its side copy; a whole one ignores it', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, good.subarray(0, 300));
  writeFileSync(`${path}.side`, good);
  const store = await openStore(path);
  assert.equal(store.config.view().apiKeys.size, 3);
  assert.match(store.status().message, /nothing is lost/);
  await store.close();
  assert.ok(!existsSync(`${path}.side`));
  assert.deepEqual(readFileSync(`${path}.torn`), good.subarray(0, 300));

  writeFileSync(path, good);
  writeFileSync(`${path}.side`, backup);
  const again = await openStore(path);
  assert.equal(again.config.view().apiKeys.size, 3);
  assert.equal(again.status().state, 'ok');
  await again.close();
  assert.ok(!existsSync(`${path}.side`));
});

test('a mixture of old and new content is completed from its side copy, and refused without one', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const mixed = replaced('"Key a"', '"Key A"');
  writeFileSync(path, mixed);
  writeFileSync(`${path}.side`, good);
  await (await openStore(path)).close();
  writeFileSync(path, mixed);
  assert.match(await refusal(path), /checksum/);
});

test('a file edited by hand is accepted without its checksum, in any layout', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const { checksum: _, ...rest } = JSON.parse(good.toString());
  writeFileSync(path, JSON.stringify({ ...rest, generation: undefined, savedAt: undefined }, null, 2));
  const store = await openStore(path);
  assert.equal(store.config.view().apiKeys.size, 3);
  await changeConfig(store.config, withApiKey(makeApiKey('d')));
  await store.close();
});

test('a file that was only laid out anew keeps its checksum', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, JSON.stringify(JSON.parse(good.toString()), null, 4));
  await (await openStore(path)).close();
});

test('members that this version does not know are kept', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, withoutChecksum('"name":"Key a"', '"name":"Key a","colour":"red"'));
  const store = await openStore(path);
  await changeConfig(store.config, withApiKey(makeApiKey('d')));
  await store.close();
  assert.match(readFileSync(path, 'utf8'), /"colour":"red"/);
});

test('what a process that died left behind is removed at the start', async () => {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  writeFileSync(path, good);
  for (const name of ['tmp-0011', 'tmp-ff', 'sock-01', 'lock.0a0b']) writeFileSync(`${path}.${name}`, 'half');
  writeFileSync(join(folder, 'ipin-proxy.db.notes'), 'mine');
  await (await openStore(path)).close();
  assert.deepEqual(readdirSync(folder).sort(), ['ipin-proxy.db', 'ipin-proxy.db.notes']);
});
