import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAT_ANSWER } from '../helpers/fake-upstream.ts';
import { startRawUpstream } from '../helpers/raw-upstream.ts';
import { startApp } from '../helpers/start-app.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const BODY = JSON.stringify(CHAT_ANSWER);
const LENGTH = `Content-Length: ${BODY.length}\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const LAST = '0\r\n\r\n';

type Outcome = 'relayed' | 502 | 'relayed or 502';

/** What an upstream writes before it closes, and what the client must get: the intended answer, or 502. */
const REPLIES: readonly (readonly [name: string, bytes: string, outcome: Outcome])[] = [
  ['a plain answer', `${OK + JSON_TYPE + LENGTH}\r\n${BODY}`, 'relayed'],
  ['chunks', `${OK}${JSON_TYPE}${CHUNKED}\r\n${chunk(BODY)}${LAST}`, 'relayed'],
  ['one byte per chunk', `${OK}${JSON_TYPE}${CHUNKED}\r\n${[...BODY].map(chunk).join('')}${LAST}`, 'relayed'],
  [
    'chunks with extensions',
    `${OK}${JSON_TYPE}${CHUNKED}\r\n${BODY.length.toString(16)};a=b\r\n${BODY}\r\n${LAST}`,
    'relayed',
  ],
  [
    'chunks with quoted extensions',
    `${OK}${JSON_TYPE}${CHUNKED}\r\n${BODY.length.toString(16)};a="b;\\"c\\\\ \xe9";d\r\n${BODY}\r\n${LAST}`,
    'relayed',
  ],
  [
    'an extension of 1 KB with every byte',
    `${OK}${JSON_TYPE}${CHUNKED}\r\n${[...BODY].map((byte) => `1;a=${'b'.repeat(1_000)}\r\n${byte}\r\n`).join('')}${LAST}`,
    'relayed',
  ],
  [
    'an extension of 64 KB',
    `${OK}${JSON_TYPE}${CHUNKED}\r\n${BODY.length.toString(16)};a=${'b'.repeat(65_536)}\r\n${BODY}\r\n${LAST}`,
    502,
  ],
  [
    'trailers of 64 KB',
    `${OK}${JSON_TYPE}${CHUNKED}\r\n${chunk(BODY)}0\r\n${'X-Many: 1\r\n'.repeat(6_000)}\r\n`,
    502,
  ],
  [
    'trailers',
    `${OK}${JSON_TYPE}${CHUNKED}\r\n${chunk(BODY)}0\r\nSet-Cookie: a=b\r\nX-Evil: 1\r\n\r\n`,
    'relayed',
  ],
  ['a body that the end of the connection ends', `${OK}${JSON_TYPE}\r\n${BODY}`, 'relayed'],
  ['HTTP/1.0', `HTTP/1.0 200 OK\r\n${JSON_TYPE}\r\n${BODY}`, 'relayed'],
  ['chunks in HTTP/1.0', `HTTP/1.0 200 OK\r\n${JSON_TYPE}${CHUNKED}\r\n${chunk(BODY)}0\r\n\r\n`, 'relayed'],
  ['no reason phrase', `HTTP/1.1 200\r\n${JSON_TYPE}${LENGTH}\r\n${BODY}`, 'relayed'],
  ['100 Continue before', `HTTP/1.1 100 Continue\r\n\r\n${OK}${JSON_TYPE}${LENGTH}\r\n${BODY}`, 'relayed'],
  [
    '103 Early Hints before',
    `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}${JSON_TYPE}${LENGTH}\r\n${BODY}`,
    'relayed',
  ],
  [
    'a thousand 1xx before',
    `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000) + OK + JSON_TYPE + LENGTH}\r\n${BODY}`,
    'relayed',
  ],
  ['a flood of 1xx and nothing after', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(5000), 502],
  ['Content-Length too long', `${OK}${JSON_TYPE}Content-Length: ${BODY.length + 5}\r\n\r\n${BODY}`, 502],
  ['Content-Length too short', `${OK}${JSON_TYPE}Content-Length: ${BODY.length - 5}\r\n\r\n${BODY}`, 502],
  ['Content-Length zero', `${OK}${JSON_TYPE}Content-Length: 0\r\n\r\n${BODY}`, 502],
  ['Content-Length negative', `${OK}${JSON_TYPE}Content-Length: -1\r\n\r\n${BODY}`, 502],
  ['Content-Length in words', `${OK}${JSON_TYPE}Content-Length: many\r\n\r\n${BODY}`, 502],
  ['Content-Length of 30 digits', `${OK}${JSON_TYPE}Content-Length: ${'9'.repeat(30)}\r\n\r\n${BODY}`, 502],
  ['Content-Length with a plus', `${OK}${JSON_TYPE}Content-Length: +${BODY.length}\r\n\r\n${BODY}`, 502],
  ['two lengths', `${OK}${JSON_TYPE}${LENGTH}Content-Length: 3\r\n\r\n${BODY}`, 502],
  ['length and chunks', `${OK}${JSON_TYPE}${LENGTH}${CHUNKED}\r\n${chunk(BODY)}${LAST}`, 502],
  ['a chunk of bad size', `${OK}${JSON_TYPE}${CHUNKED}\r\nzz\r\n${BODY}\r\n${LAST}`, 502],
  ['a chunk of negative size', `${OK}${JSON_TYPE}${CHUNKED}\r\n-5\r\n${BODY}\r\n${LAST}`, 502],
  ['a chunk of enormous size', `${OK}${JSON_TYPE}${CHUNKED}\r\n${'f'.repeat(17)}\r\n${BODY}\r\n${LAST}`, 502],
  ['a chunk longer than it says', `${OK}${JSON_TYPE}${CHUNKED}\r\n5\r\n${BODY}\r\n${LAST}`, 502],
  ['no last chunk', `${OK}${JSON_TYPE}${CHUNKED}\r\n${chunk(BODY)}`, 502],
  ['half a last chunk', `${OK}${JSON_TYPE}${CHUNKED}\r\n${chunk(BODY)}0\r\n`, 502],
  ['a head of 64 KB', `${OK}${JSON_TYPE}X-Long: ${'a'.repeat(65_536)}\r\n${LENGTH}\r\n${BODY}`, 502],
  ['2000 headers', `${OK + 'X-Many: 1\r\n'.repeat(2000) + JSON_TYPE + LENGTH}\r\n${BODY}`, 502],
  ['a bare CR in a header', `${OK}${JSON_TYPE}X-Evil: a\rSet-Cookie: b=c\r\n${LENGTH}\r\n${BODY}`, 502],
  ['a NUL in a header', `${OK}${JSON_TYPE}X-Evil: a\0b\r\n${LENGTH}\r\n${BODY}`, 502],
  ['a space before the colon', `${OK}${JSON_TYPE}Content-Length : ${BODY.length}\r\n\r\n${BODY}`, 502],
  ['a header without a colon', `${OK}${JSON_TYPE}Nonsense\r\n${LENGTH}\r\n${BODY}`, 502],
  [
    '101 unasked',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\nGET / HTTP/1.1\r\n\r\n',
    502,
  ],
  ['status 999', `HTTP/1.1 999 Odd\r\n${JSON_TYPE}${LENGTH}\r\n${BODY}`, 502],
  ['status 600', `HTTP/1.1 600 Odd\r\n${JSON_TYPE}${LENGTH}\r\n${BODY}`, 502],
  ['status 042', `HTTP/1.1 042 Odd\r\n${JSON_TYPE}${LENGTH}\r\n${BODY}`, 502],
  ['a status of four digits', `HTTP/1.1 2000 OK\r\n${JSON_TYPE}${LENGTH}\r\n${BODY}`, 502],
  ['304 unasked', `HTTP/1.1 304 Not Modified\r\n\r\n`, 502],
  ['HTTP/2.0', `HTTP/2.0 200 OK\r\n${JSON_TYPE}${LENGTH}\r\n${BODY}`, 'relayed or 502'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', 502],
  ['nothing at all', '', 502],
  ['an empty answer', `${OK}${JSON_TYPE}Content-Length: 0\r\n\r\n`, 502],
  ['a page', `${OK}Content-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>`, 502],
  ['no content type', `${OK}${LENGTH}\r\n${BODY}`, 502],
  ['JSON that breaks off', `${OK}${JSON_TYPE}Content-Length: 9\r\n\r\n{"id":"a"`, 502],
  ['JSON too deep', `${OK}${JSON_TYPE}\r\n${'['.repeat(5000)}${']'.repeat(5000)}`, 502],
  ['JSON that is not UTF-8', `${OK}${JSON_TYPE}Content-Length: 8\r\n\r\n{"a":"\xff"}`, 502],
];

test('whatever an upstream writes becomes its answer or 502, and no byte leaks into another answer', {
  timeout: 30_000,
}, async (t) => {
  const app = await startApp(t);
  let bytes = '';
  const upstream = await startRawUpstream(t, (socket) => socket.end(bytes, 'latin1'));
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, options: { headersTimeoutMs: 2000 } }, [
    { id: 'm' },
    { id: 'alias', upstreamModel: 'real' },
  ]);
  for (const model of ['m', 'alias']) {
    for (const [name, reply, outcome] of REPLIES) {
      bytes = reply;
      const answer = await app.v1('chat/completions', { model, messages: [] });
      const text = await answer.text();
      const label = `${name} (${model}): ${answer.status} ${text.slice(0, 300)}`;
      const allowed = outcome === 502 ? [502] : outcome === 'relayed' ? [200] : [200, 502];
      assert.ok(allowed.includes(answer.status), label);
      assert.ok(!answer.headers.has('set-cookie') && !answer.headers.has('x-evil'), label);
      const value = JSON.parse(text);
      if (answer.status === 200)
        assert.deepEqual(value, { ...CHAT_ANSWER, model: model === 'm' ? 'upstream-model' : 'alias' }, label);
      else assert.match(value.error.code, /^upstream_(invalid_response|unreachable)$/, label);
    }
  }
  assert.ok(!app.logs.some((line) => line.includes('internal error')));
});

test('an answer without a body stays without a body', { timeout: 10_000 }, async (t) => {
  const app = await startApp(t);
  const upstream = await startRawUpstream(t, (socket) =>
    socket.end('HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'),
  );
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
  const answer = await app.v1('chat/completions', { model: 'm', messages: [] });
  assert.ok(answer.status === 204 || answer.status === 502, String(answer.status));
  assert.equal(answer.headers.get('set-cookie'), null);
});
