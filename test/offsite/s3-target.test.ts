import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SnapshotError, type SnapshotErrorKind } from '../../src/offsite/errors.ts';
import { S3Storage } from '../../src/offsite/s3-storage.ts';
import type { AwsCredentials } from '../../src/offsite/sigv4.ts';
import { SnapshotTarget } from '../../src/offsite/target.ts';
import { S3_CREDENTIALS, S3_REGION, type S3StandIn, startS3 } from '../helpers/s3-stand-in.ts';
import { SIGNAL } from './fixture.ts';

const BYTES = Buffer.from('sealed bytes\n');

interface Fields {
  readonly bucket?: string;
  readonly key?: string;
  readonly region?: string;
  readonly credentials?: Partial<AwsCredentials>;
}

function targetOf(s3: S3StandIn, fields: Fields = {}): SnapshotTarget {
  const credentials = { ...S3_CREDENTIALS, sessionToken: null, ...fields.credentials };
  const { bucket = 'bucket', key = 'proxy/state', region = S3_REGION } = fields;
  const settings = { bucket, key, region, credentials, endpoint: new URL(s3.origin) };
  return new SnapshotTarget(new S3Storage(settings, Date.now));
}

async function problemOf(work: Promise<unknown>): Promise<SnapshotError> {
  const problem: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(problem instanceof SnapshotError, 'it fails');
  assert.ok(!problem.message.includes(S3_CREDENTIALS.secretAccessKey));
  assert.doesNotMatch(problem.message, /\n/);
  return problem;
}

describe('signed requests', () => {
  for (const key of ['state', "a folder/ü+%41 (1)!*'~", 'a//b', 'trailing/', '$&,;=@:[]?#']) {
    test(`the key ${key}`, async (t) => {
      const s3 = await startS3(t);
      const target = targetOf(s3, { key });
      assert.equal(await target.get(SIGNAL), 'absent');
      const written = await target.put(BYTES, { ifNoneMatch: '*' }, SIGNAL);
      assert.ok(written !== 'refused' && written.etag !== null);
      assert.deepEqual(await target.get(SIGNAL), { bytes: BYTES, etag: written.etag });
      assert.deepEqual(
        [...s3.objects.keys()].map((path) => decodeURIComponent(path)),
        [`/bucket/${key}`],
      );
      assert.deepEqual(s3.log, ['GET', 'PUT if-none-match', 'GET'], 'each signature was right');
    });
  }

  test('a session token is sent and signed', async (t) => {
    const s3 = await startS3(t);
    let seen: unknown;
    s3.intercept = (req) => {
      seen = req.headers['x-amz-security-token'];
      return false;
    };
    await targetOf(s3, { credentials: { sessionToken: 'session/token==' } }).get(SIGNAL);
    assert.equal(seen, 'session/token==');
  });
});

test('conditions: what stands there is replaced only where it is what was named', async (t) => {
  const s3 = await startS3(t);
  const target = targetOf(s3);
  assert.deepEqual(await target.put(BYTES, { ifMatch: '"x"' }, SIGNAL), 'refused', 'nothing is there');
  const first = await target.put(BYTES, { ifNoneMatch: '*' }, SIGNAL);
  assert.ok(first !== 'refused' && first.etag !== null);
  assert.deepEqual(await target.put(BYTES, { ifNoneMatch: '*' }, SIGNAL), 'refused');
  assert.deepEqual(await target.put(BYTES, { ifMatch: '"x"' }, SIGNAL), 'refused');
  assert.notEqual(await target.put(BYTES, { ifMatch: first.etag }, SIGNAL), 'refused');
  s3.conditions = 'not-implemented';
  assert.deepEqual(await target.put(BYTES, { ifMatch: first.etag }, SIGNAL), 'refused');
});

describe('refusals that a person must mend', () => {
  const rows: readonly [string, Fields, RegExp][] = [
    ['NoSuchBucket', { bucket: 'missing' }, /404 NoSuchBucket: make the bucket missing/],
    [
      'SignatureDoesNotMatch',
      { credentials: { secretAccessKey: 'wrong' } },
      /403 SignatureDoesNotMatch: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/,
    ],
    [
      'InvalidAccessKeyId',
      { credentials: { accessKeyId: 'AKIDOTHER' } },
      /403 InvalidAccessKeyId: set AWS_ACCESS_KEY_ID/,
    ],
    [
      'AuthorizationHeaderMalformed',
      { region: 'us-east-1' },
      /AuthorizationHeaderMalformed: the bucket is elsewhere; set AWS_REGION/,
    ],
  ];
  for (const [code, fields, message] of rows) {
    test(code, async (t) => {
      const target = targetOf(await startS3(t), fields);
      for (const work of [target.get(SIGNAL), target.put(BYTES, { ifNoneMatch: '*' }, SIGNAL)]) {
        const problem = await problemOf(work);
        assert.equal(problem.kind, 'refused');
        assert.match(problem.message, message);
      }
    });
  }
});

describe('what S3 says in XML', () => {
  const rows: readonly [number, string, SnapshotErrorKind, RegExp][] = [
    [
      403,
      '<Error><Code>AccessDenied</Code></Error>',
      'refused',
      /grant s3:GetObject and s3:PutObject on arn:aws:s3:::bucket\/proxy\/state, and s3:ListBucket on arn:aws:s3:::bucket/,
    ],
    [401, '', 'refused', /grant s3:GetObject/],
    [400, '<Error><Code>ExpiredToken</Code></Error>', 'refused', /fresh AWS_SESSION_TOKEN/],
    [403, '<Error><Code>RequestTimeTooSkewed</Code></Error>', 'refused', /clock is wrong/],
    [
      301,
      '<Error><Code>PermanentRedirect</Code><Endpoint>evil.example</Endpoint><Region>eu-west-9</Region></Error>',
      'refused',
      /the bucket is elsewhere; set AWS_REGION to eu-west-9/,
    ],
    [307, '', 'refused', /the bucket is elsewhere/],
    [400, '<html>', 'refused', /lead to S3-compatible storage/],
    [404, '<html>not found</html>', 'unreachable', /answers (Get|Put)Object with 404$/],
    [
      409,
      '<Error><Code>ConditionalRequestConflict</Code></Error>',
      'unreachable',
      /409 ConditionalRequestConflict/,
    ],
    [429, '', 'unreachable', /429/],
    [500, '<Error><Code>InternalError</Code></Error>', 'unreachable', /500 InternalError/],
    [503, '<Error><Code>SlowDown</Code></Error>', 'unreachable', /503 SlowDown/],
  ];
  for (const [status, body, kind, message] of rows) {
    test(`${status} ${/<Code>(\w+)/.exec(body)?.[1] ?? 'without a code'}`, async (t) => {
      const s3 = await startS3(t);
      s3.intercept = (_req, res) => {
        res.writeHead(status, { location: 'http://evil.example/' }).end(body);
        return true;
      };
      const target = targetOf(s3);
      for (const work of [target.get(SIGNAL), target.put(BYTES, null, SIGNAL)]) {
        const problem = await problemOf(work);
        assert.equal(problem.kind, kind, problem.message);
        assert.match(problem.message, message);
        assert.doesNotMatch(problem.message, /evil/);
      }
    });
  }
});
