import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OutgoingRequest, requestHead } from '../../../src/providers/upstream/request-head.ts';

const GET: OutgoingRequest = { method: 'GET', path: '/v1/models?a=b', headers: [], body: { kind: 'none' } };
const TO = { host: '[::1]:8080', isKept: true };

describe('the head of a request', () => {
  test('has its line, its host, its headers and its connection', () => {
    const headers = ['accept', 'text/plain', 'x-latin', 'caf\xe9\t1'];
    assert.equal(
      requestHead({ ...GET, headers }, TO),
      'GET /v1/models?a=b HTTP/1.1\r\nhost: [::1]:8080\r\naccept: text/plain\r\nx-latin: caf\xe9\t1\r\nconnection: keep-alive\r\n\r\n',
    );
  });

  const pieces = { kind: 'pieces', pieces: [Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')] } as const;
  const stream = { kind: 'stream', stream: (async function* () {})() } as const;
  for (const [what, request, framing] of [
    ['GET without a body', GET, []],
    ['POST without a body', { ...GET, method: 'POST' }, ['content-length: 0']],
    ['PUT without a body', { ...GET, method: 'PUT' }, ['content-length: 0']],
    ['POST of pieces', { ...GET, method: 'POST', body: pieces }, ['content-length: 3']],
    [
      'POST of no piece',
      { ...GET, method: 'POST', body: { kind: 'pieces', pieces: [] } },
      ['content-length: 0'],
    ],
    ['POST of a stream', { ...GET, method: 'POST', body: stream }, ['transfer-encoding: chunked']],
  ] as const) {
    test(`says where the body ends: ${what}`, () => {
      const lines = requestHead(request, { host: 'a', isKept: false }).split('\r\n');
      assert.deepEqual(lines.slice(2), [...framing, 'connection: close', '', '']);
    });
  }

  for (const path of [
    '',
    '/a b',
    '/a\r\nx: y',
    '/a\nb',
    '/a\0',
    '/\x7f',
    '/\xe9',
    '/\u0100',
    '/\u010d\u010a',
  ]) {
    test(`refuses the path ${JSON.stringify(path)}`, () => {
      assert.throws(() => requestHead({ ...GET, path }, TO), TypeError);
    });
  }

  for (const header of [
    ['', 'a'],
    ['a b', 'c'],
    ['a:', 'b'],
    ['a\r\nb', 'c'],
    ['\xe9', 'a'],
    ['A', 'names are in lower case'],
    ['a', 'b\r\nc: d'],
    ['a', 'b\nc'],
    ['a', 'b\rc'],
    ['a', '\0'],
    ['a', '\x7f'],
    // Their last bytes are CR and LF.
    ['a', '\u010d\u010ab: c'],
    ['a', '\u{1f600}'],
  ]) {
    test(`refuses the header ${JSON.stringify(header)}`, () => {
      assert.throws(() => requestHead({ ...GET, headers: header }, TO), TypeError);
    });
  }
});
