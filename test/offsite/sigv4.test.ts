import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodePath, signRequest, toAmzDate } from '../../src/offsite/sigv4.ts';
import { sha256Hex } from '../../src/sha256.ts';

// Signature Version 4 test suite (aws-sig-v4-test-suite), published by AWS with the signing documentation.
const SUITE = {
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  region: 'us-east-1',
  service: 'service',
};
const SUITE_HEADERS = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' };

interface Vector {
  readonly name: string;
  readonly method: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signature: string;
}

const VECTORS: readonly Vector[] = [
  {
    name: 'get-vanilla',
    method: 'GET',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'post-vanilla',
    method: 'POST',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'get-unreserved',
    method: 'GET',
    path: '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  {
    name: 'get-header-key-duplicate',
    method: 'GET',
    headers: { 'my-header1': 'value2,value2,value1' },
    signature: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
  },
  {
    name: 'get-header-value-trim',
    method: 'GET',
    headers: { 'my-header1': ' value1', 'my-header2': ' "a   b   c"' },
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  {
    name: 'post-header-key-sort',
    method: 'POST',
    headers: { 'my-header1': 'value1' },
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  {
    name: 'post-header-value-case',
    method: 'POST',
    headers: { 'my-header1': 'VALUE1' },
    signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  },
  {
    name: 'post-x-www-form-urlencoded',
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Param1=value1',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
];

describe('the Signature Version 4 test suite', () => {
  for (const { name, method, path = '/', headers = {}, body = '', signature } of VECTORS) {
    test(name, () => {
      const request = {
        method,
        path,
        headers: { ...SUITE_HEADERS, ...headers },
        payloadHash: sha256Hex(body),
      };
      const names = [...Object.keys(headers), 'host', 'x-amz-date'].sort().join(';');
      assert.equal(
        signRequest(request, SUITE),
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
      );
    });
  }
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
describe('the examples of the Amazon S3 API reference', () => {
  const scope = {
    credentials: {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    },
    region: 'us-east-1',
    service: 's3',
  };
  const host = 'examplebucket.s3.amazonaws.com';
  const time = toAmzDate(Date.UTC(2013, 4, 24));

  test('GET Object', () => {
    const payloadHash = sha256Hex('');
    const headers = { host, range: 'bytes=0-9', 'x-amz-content-sha256': payloadHash, 'x-amz-date': time };
    const signed = signRequest({ method: 'GET', path: '/test.txt', headers, payloadHash }, scope);
    assert.match(signed, /Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/);
  });

  test('PUT Object', () => {
    const payloadHash = sha256Hex('Welcome to Amazon S3.');
    const headers = {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      host,
      'x-amz-content-sha256': payloadHash,
      'x-amz-date': time,
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    };
    const path = encodePath('/test$file.text');
    const signed = signRequest({ method: 'PUT', path, headers, payloadHash }, scope);
    assert.match(signed, /Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd$/);
  });
});

test('toAmzDate() writes UTC without separators', () => {
  assert.equal(toAmzDate(Date.UTC(2015, 7, 30, 12, 36, 0, 999)), '20150830T123600Z');
});

test('encodePath() leaves only unreserved characters and slashes', () => {
  assert.equal(encodePath("a b/ü*'()!~c+d=%"), 'a%20b/%C3%BC%2A%27%28%29%21~c%2Bd%3D%25');
});
