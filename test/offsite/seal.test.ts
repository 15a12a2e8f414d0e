import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SnapshotError } from '../../src/offsite/errors.ts';
import { SnapshotSeal } from '../../src/offsite/seal.ts';
import { documentOf, KEY, sharedSeal } from './fixture.ts';

const HEAD = { generation: 7, writer: 99 };
const DOCUMENT = documentOf(7);

function unreadable(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof SnapshotError && error.kind === 'unreadable' && pattern.test(error.message);
}

test('open() gives back what seal() was given, also in another process', async () => {
  const sealed = await sharedSeal.seal(DOCUMENT, HEAD);
  const opened = await new SnapshotSeal(KEY, randomBytes).open(sealed);
  assert.deepEqual(opened, { ...HEAD, document: DOCUMENT });
});

test('seal() shows nothing of the document and never makes the same bytes twice', async () => {
  const one = await sharedSeal.seal(DOCUMENT, HEAD);
  const other = await sharedSeal.seal(DOCUMENT, HEAD);
  assert.notDeepEqual(one, other);
  assert.match(one.toString('latin1'), /^[\x20-\x7e]+\n[\x21-\x7e]+\n$/, 'ASCII in two lines');
  for (const word of ['dots-ocr', 'a1b2c3d4', 'providers', KEY]) assert.ok(!one.includes(word), word);
});

test('seal() and open() of one instance agree on the key that a stored salt makes', async () => {
  const stored = await sharedSeal.seal(DOCUMENT, HEAD);
  const second = new SnapshotSeal(KEY, randomBytes);
  await second.open(stored);
  assert.equal(saltOf(await second.seal(DOCUMENT, HEAD)), saltOf(stored));
});

test('open() refuses another key', async () => {
  const sealed = await sharedSeal.seal(DOCUMENT, HEAD);
  const other = new SnapshotSeal(`${KEY}!`, randomBytes);
  await assert.rejects(other.open(sealed), unreadable(/cannot be opened with SNAPSHOT_KEY/));
});

test('open() refuses a changed byte anywhere', async () => {
  const sealed = await sharedSeal.seal(DOCUMENT, HEAD);
  const headEnd = sealed.indexOf('\n');
  const positions = [
    headEnd + 1,
    headEnd + 5,
    headEnd + 40,
    Math.floor(sealed.length / 2),
    sealed.length - 4,
  ];
  for (const position of positions) {
    const altered = Buffer.from(sealed);
    altered[position] = altered[position] === 0x41 ? 0x42 : 0x41;
    await assert.rejects(sharedSeal.open(altered), unreadable(/./), `byte ${position}`);
  }
});

test('open() refuses a head that was changed: an old snapshot cannot pass for a new one', async () => {
  const sealed = (await sharedSeal.seal(DOCUMENT, HEAD)).toString('latin1');
  for (const [from, to] of [
    ['"generation":7', '"generation":8'],
    ['"writer":99', '"writer":98'],
    ['{"format"', '{ "format"'],
  ] as const) {
    const altered = Buffer.from(sealed.replace(from, to));
    await assert.rejects(sharedSeal.open(altered), unreadable(/cannot be opened/), to);
  }
});

test('open() refuses what is no snapshot', async () => {
  const others = [
    '',
    '\n',
    '{}',
    '{}\n',
    'null\nx',
    '<html>\n</html>',
    `${'x'.repeat(5000)}\n`,
    '{"format":"x"}\nv1.',
  ];
  for (const text of others) {
    await assert.rejects(
      sharedSeal.open(Buffer.from(text)),
      unreadable(/is not a snapshot/),
      text.slice(0, 20),
    );
  }
});

test('open() names a newer version, and bounds what a head may ask for', async () => {
  const sealed = (await sharedSeal.seal(DOCUMENT, HEAD)).toString('latin1');
  const newer = Buffer.from(sealed.replace('"version":1', '"version":2'));
  await assert.rejects(sharedSeal.open(newer), unreadable(/newer version/));
  for (const cost of [2 ** 30, 3, 0, 1.5]) {
    const greedy = Buffer.from(sealed.replace(/"cost":\d+/, `"cost":${cost}`));
    await assert.rejects(sharedSeal.open(greedy), unreadable(/./), String(cost));
  }
  assert.deepEqual((await sharedSeal.open(Buffer.from(sealed))).document, DOCUMENT, 'the key is kept');
});

function saltOf(sealed: Buffer): unknown {
  return JSON.parse(sealed.toString('latin1').split('\n')[0] ?? '').scrypt.salt;
}
