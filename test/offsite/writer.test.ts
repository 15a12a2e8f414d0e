import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { createSnapshotTarget } from '../../src/offsite/create-target.ts';
import { S3Storage } from '../../src/offsite/s3-storage.ts';
import { SnapshotTarget } from '../../src/offsite/target.ts';
import { SnapshotWriter } from '../../src/offsite/writer.ts';
import { DOCUMENT_LIMIT_BYTES } from '../../src/store/document.ts';
import { type Conditions, S3_CREDENTIALS, S3_REGION, startS3 } from '../helpers/s3-stand-in.ts';
import { documentOf, isKind, SIGNAL, sharedSeal } from './fixture.ts';
import { type Behaviour, type PutGetServer, startPutGet } from './put-get-server.ts';

const OURS = 11;
const THEIRS = 22;

function writerTo(served: PutGetServer): SnapshotWriter {
  const target = createSnapshotTarget({ url: served.url, token: null }, { env: {}, now: Date.now });
  return new SnapshotWriter(target, sharedSeal);
}

function write(writer: SnapshotWriter, generation: number, by = OURS): Promise<void> {
  return writer.write(documentOf(generation), { generation, writer: by }, SIGNAL);
}

/** Generation and writer of what stands there. */
async function held(bytes: Buffer | null): Promise<readonly [number, number] | null> {
  if (bytes === null) return null;
  const { generation, writer } = await sharedSeal.open(bytes);
  return [generation, writer];
}

/** How a target behaves, and whether it keeps a second writer from replacing a snapshot unnoticed. */
const BEHAVIOURS: readonly [Behaviour, boolean][] = [
  ['strong', true],
  ['no-etag-on-put', true],
  ['weak', false],
  ['ignores-conditions', false],
  ['no-etag', false],
  ['moody', false],
];

describe('at a target with entity tags of any kind', () => {
  for (const [behaviour, isProtected] of BEHAVIOURS) {
    test(`${behaviour}: the newest state is written, and whether that is protected is known from the start`, async (t) => {
      const served = await startPutGet(t, behaviour);
      const writer = writerTo(served);
      assert.equal(await writer.read(SIGNAL), null);
      await write(writer, 1);
      if (behaviour !== 'moody') assert.equal(writer.isProtected, isProtected);
      for (const generation of [2, 3]) await write(writer, generation);
      assert.deepEqual(await held(served.body), [3, OURS]);
      assert.equal(writer.isProtected, isProtected);
    });

    test(`${behaviour}: what another instance wrote meanwhile is not written over`, async (t) => {
      const served = await startPutGet(t, behaviour);
      const writer = writerTo(served);
      await write(writer, 1);
      const other = writerTo(served);
      await other.read(SIGNAL);
      await write(other, 2, THEIRS);
      const conflict = isKind('conflict', /holds another instance's state \(generation 2\)/);
      await assert.rejects(write(writer, 3), conflict);
      assert.deepEqual(await held(served.body), [2, THEIRS]);
      await write(other, 4, THEIRS);
    });
  }

  for (const behaviour of ['strong', 'ignores-conditions'] as const) {
    test(`${behaviour}: what is none of ours is not written over`, async (t) => {
      const served = await startPutGet(t, behaviour);
      served.body = Buffer.from('a letter');
      await assert.rejects(write(writerTo(served), 1), /holds something else/);
      assert.equal(served.body.toString(), 'a letter');
    });

    test(`${behaviour}: a snapshot that was taken away is made again`, async (t) => {
      const served = await startPutGet(t, behaviour);
      const writer = writerTo(served);
      await write(writer, 1);
      served.body = null;
      await write(writer, 2);
      assert.deepEqual(await held(served.body), [2, OURS]);
    });
  }
});

describe('at S3', () => {
  const rows: readonly [Conditions, boolean][] = [
    ['honoured', true],
    ['ignored', false],
    ['only-if-none-match', false],
    ['not-implemented', false],
  ];
  for (const [conditions, isProtected] of rows) {
    test(`conditions ${conditions}: two writers, and the second is told`, async (t) => {
      const s3 = await startS3(t, conditions);
      const credentials = { ...S3_CREDENTIALS, sessionToken: null };
      const settings = {
        bucket: 'bucket',
        key: 'state',
        region: S3_REGION,
        credentials,
        endpoint: new URL(s3.origin),
      };
      const writerToS3 = (): SnapshotWriter =>
        new SnapshotWriter(new SnapshotTarget(new S3Storage(settings, Date.now)), sharedSeal);
      const [one, other] = [writerToS3(), writerToS3()];
      await write(one, 1);
      assert.equal(one.isProtected, isProtected);
      await write(one, 2);
      await other.read(SIGNAL);
      await write(other, 3, THEIRS);
      await assert.rejects(write(one, 4), isKind('conflict'));
      assert.deepEqual(await held(s3.objects.get('/bucket/state')?.body ?? null), [3, THEIRS]);
    });
  }
});

test('an older state never takes the place of a newer one', async (t) => {
  for (const behaviour of ['strong', 'ignores-conditions'] as const) {
    const served = await startPutGet(t, behaviour);
    await write(writerTo(served), 9);
    const writer = writerTo(served);
    await writer.read(SIGNAL);
    await assert.rejects(write(writer, 8), isKind('conflict', /holds a newer state than this one/));
    assert.deepEqual(await held(served.body), [9, OURS]);
  }
});

test('conditions are tried by the first write alone, and a protected target is not read any more', async (t) => {
  const served = await startPutGet(t);
  const writer = writerTo(served);
  for (const generation of [1, 2, 3]) await write(writer, generation);
  assert.deepEqual(served.log, [
    'GET 404',
    'PUT if-match 412',
    'PUT if-none-match 204',
    'PUT if-match 204',
    'PUT if-match 204',
  ]);
});

describe('a write whose answer was lost', () => {
  /** Takes what is sent and answers nothing. */
  const swallow =
    (served: PutGetServer, isKept: boolean): PutGetServer['intercept'] =>
    (req, _res, body) => {
      if (req.method !== 'PUT') return false;
      if (isKept) served.body = body;
      req.socket.destroy();
      served.intercept = null;
      return true;
    };

  for (const behaviour of ['strong', 'no-etag-on-put', 'ignores-conditions'] as const) {
    for (const isKept of [true, false]) {
      test(`${behaviour}: it ${isKept ? 'had' : 'had not'} happened, and the next one goes on from there`, async (t) => {
        const served = await startPutGet(t, behaviour);
        const writer = writerTo(served);
        for (const generation of [1, 3]) {
          served.intercept = swallow(served, isKept);
          await assert.rejects(write(writer, generation), isKind('unreachable'));
          await write(writer, generation + 1);
          assert.deepEqual(await held(served.body), [generation + 1, OURS]);
        }
      });
    }
  }

  test('the first of two had happened, the second had not: the next one goes on from the first', async (t) => {
    const served = await startPutGet(t);
    const writer = writerTo(served);
    await write(writer, 1);
    for (const [generation, isKept] of [
      [2, true],
      [3, false],
    ] as const) {
      served.intercept = swallow(served, isKept);
      await assert.rejects(write(writer, generation), isKind('unreachable'));
    }
    assert.deepEqual(await held(served.body), [2, OURS]);
    await write(writer, 4);
    assert.deepEqual(await held(served.body), [4, OURS]);
  });

  test("it had not happened, and another instance's had: that is not written over", async (t) => {
    const served = await startPutGet(t);
    const writer = writerTo(served);
    await write(writer, 1);
    const other = writerTo(served);
    await other.read(SIGNAL);
    served.intercept = swallow(served, false);
    await assert.rejects(write(writer, 2), isKind('unreachable'));
    await write(other, 2, THEIRS);
    await assert.rejects(write(writer, 3), isKind('conflict'));
    assert.deepEqual(await held(served.body), [2, THEIRS]);
  });
});

test('a state that would not be read again is not written', async (t) => {
  const served = await startPutGet(t);
  const document = Buffer.alloc(DOCUMENT_LIMIT_BYTES * 0.75, 0x20);
  const written = writerTo(served).write(document, { generation: 1, writer: OURS }, SIGNAL);
  await assert.rejects(written, isKind('refused', /too large for a snapshot/));
  assert.deepEqual(served.log, []);
});

test('nothing of the state can be read from what is sent', async (t) => {
  const served = await startPutGet(t);
  const secret = randomBytes(12).toString('hex');
  const document = Buffer.from(`{"providers":[{"id":"acme","apiKey":"sk-${secret}"}]}`);
  await writerTo(served).write(document, { generation: 1, writer: OURS }, SIGNAL);
  const sent = served.body?.toString('latin1') ?? '';
  for (const plain of [secret, 'acme', 'providers']) {
    for (const form of [plain, Buffer.from(plain).toString('base64').slice(0, -4)]) {
      assert.ok(!sent.includes(form), form);
    }
  }
});
