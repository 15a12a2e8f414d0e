import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, type Environment, loadConfig } from '../../src/config.ts';
import { createSnapshotTarget } from '../../src/offsite/create-target.ts';
import { readS3Settings } from '../../src/offsite/s3-settings.ts';
import { strongEtag } from '../../src/offsite/target.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' };

function create(url: string, env: Environment = KEYS): string {
  const { snapshot } = loadConfig({ SNAPSHOT_URL: url, SNAPSHOT_KEY: 'k'.repeat(16) });
  assert.ok(snapshot !== null);
  return createSnapshotTarget(snapshot, { env, now: Date.now }).host;
}

describe('createSnapshotTarget()', () => {
  const hosts: readonly (readonly [string, Environment, string])[] = [
    ['https://user:secret@files.example:8443/state?sig=secret', {}, 'files.example:8443'],
    ['http://127.0.0.1:9000/x', {}, '127.0.0.1:9000'],
    ['http://[::1]:9000/x', {}, '[::1]:9000'],
    ['http://localhost/x', {}, 'localhost'],
    ['s3://bucket/key', KEYS, 'bucket.s3.us-east-1.amazonaws.com'],
    [
      'S3://bucket/key',
      { ...KEYS, AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'x' },
      'bucket.s3.eu-west-1.amazonaws.com',
    ],
    ['s3://my.bucket/key', { ...KEYS, AWS_DEFAULT_REGION: 'eu-west-1' }, 's3.eu-west-1.amazonaws.com'],
    ['s3://bucket/key', { ...KEYS, AWS_REGION: 'cn-north-1' }, 'bucket.s3.cn-north-1.amazonaws.com.cn'],
    ['s3://bucket/key', { ...KEYS, AWS_ENDPOINT_URL: 'https://r2.example' }, 'r2.example'],
    [
      's3://bucket/key',
      { ...KEYS, AWS_ENDPOINT_URL: 'https://all.example', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000/' },
      '127.0.0.1:9000',
    ],
  ];
  for (const [url, env, host] of hosts) test(`${url} -> ${host}`, () => assert.equal(create(url, env), host));

  const refused: readonly (readonly [string, Environment, RegExp])[] = [
    ['http://files.example/x', {}, /https:/],
    ['http://127.0.0.1.example/x', {}, /https:/],
    ['ftp://127.0.0.1/x', {}, /https:/],
    ['s3://bucket/key', {}, /AWS_ACCESS_KEY_ID is required.*\nAWS_SECRET_ACCESS_KEY is required/],
    ['s3://bucket/', KEYS, /s3:\/\/bucket\/key/],
    ['s3://bucket/../other/key', KEYS, /bucket and a key/],
    [`s3://bucket/${'k'.repeat(1025)}`, KEYS, /bucket and a key/],
    ['s3://bucket@evil.example/key', KEYS, /bucket and a key/],
    [
      's3://bucket/key',
      { ...KEYS, AWS_ENDPOINT_URL_S3: 'http://minio.example:9000' },
      /AWS_ENDPOINT_URL_S3 must/,
    ],
    ['s3://bucket/key', { ...KEYS, AWS_ENDPOINT_URL: 'https://user@minio.example' }, /AWS_ENDPOINT_URL must/],
    ['s3://bucket/key', { ...KEYS, AWS_REGION: 'evil.example/' }, /AWS_REGION/],
  ];
  for (const [url, env, pattern] of refused) {
    test(`refuses ${url.slice(0, 60)} with ${Object.keys(env).join(', ') || 'nothing'} set`, () => {
      assert.throws(
        () => create(url, env),
        (error) => error instanceof ConfigError && pattern.test(error.message),
      );
    });
  }
});

test('readS3Settings() takes the key letter by letter', () => {
  const { bucket, key } = readS3Settings('s3://My_Bucket/a b/%41?x#y', KEYS);
  assert.deepEqual([bucket, key], ['My_Bucket', 'a b/%41?x#y']);
});

test('strongEtag() takes strong entity tags only', () => {
  assert.equal(strongEtag('"abc-1"'), '"abc-1"');
  for (const other of [undefined, '', 'abc', 'W/"abc"', '"a"b"', '"a\nb"'])
    assert.equal(strongEtag(other), null);
});
