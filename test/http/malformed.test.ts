import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { parseAnswers, rawClient, sendRaw } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const KEY = `Authorization: Bearer ${MASTER_KEY}\r\n`;
const HOST = 'Host: x\r\n';
/** What an attacker would like to have read as a request. */
const SMUGGLED = `GET /v1/models HTTP/1.1\r\n${HOST}${KEY}X-Smuggled: 1\r\n\r\n`;
const CHAT = 'POST /v1/chat/completions HTTP/1.1\r\n';
const TYPE = 'Content-Type: application/json\r\n';
const BODY = '{"model":"m"}';

async function start(t: TestContext): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
  return { app, upstream };
}

/** Framing that two parsers may read differently, and heads that are none: refused, and the connection with them. */
const MALFORMED: readonly (readonly [name: string, bytes: string])[] = [
  [
    'both framings',
    `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'both framings, the other way round',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'two lengths',
    `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  ['two equal lengths', `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 13\r\nContent-Length: 13\r\n\r\n${BODY}`],
  ['a list of lengths', `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 13, 13\r\n\r\n${BODY}`],
  ['a negative length', `${CHAT}${HOST}${KEY}${TYPE}Content-Length: -1\r\n\r\n${SMUGGLED}`],
  ['a length with a sign', `${CHAT}${HOST}${KEY}${TYPE}Content-Length: +13\r\n\r\n${BODY}`],
  ['a length in hex', `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 0xd\r\n\r\n${BODY}`],
  ['a length with a space inside', `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 1 3\r\n\r\n${BODY}`],
  [
    'a length beyond all numbers',
    `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 99999999999999999999999\r\n\r\n${BODY}`,
  ],
  ['an empty length', `${CHAT}${HOST}${KEY}${TYPE}Content-Length: \r\n\r\n${SMUGGLED}`],
  [
    'an encoding that is not chunked',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: xchunked\r\n\r\n${SMUGGLED}`,
  ],
  [
    'gzip, chunked',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'chunked, identity',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['identity', `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: identity\r\nContent-Length: 13\r\n\r\n${BODY}`],
  [
    'chunked twice',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'chunked and something else',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'chunked in quotes',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'chunked in HTTP/1.0',
    `${CHAT.replace('1.1', '1.0')}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a space before the colon',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['a tab before the colon', `${CHAT}${HOST}${KEY}${TYPE}Content-Length\t: 13\r\n\r\n${BODY}`],
  [
    'a vertical tab in the encoding',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a bare CR in a header',
    `${CHAT}${HOST}${KEY}${TYPE}X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['a NUL in a header', `${CHAT}${HOST}${KEY}${TYPE}X: a\0b\r\nContent-Length: 13\r\n\r\n${BODY}`],
  ['a NUL in a name', `${CHAT}${HOST}${KEY}${TYPE}X\0: a\r\nContent-Length: 13\r\n\r\n${BODY}`],
  ['a header without a colon', `${CHAT}${HOST}${KEY}${TYPE}nonsense\r\nContent-Length: 13\r\n\r\n${BODY}`],
  ['a header without a name', `${CHAT}${HOST}${KEY}${TYPE}: a\r\nContent-Length: 13\r\n\r\n${BODY}`],
  ['two Hosts', `${CHAT}${HOST}Host: evil.example\r\n${KEY}${TYPE}Content-Length: 13\r\n\r\n${BODY}`],
  ['two equal Hosts', `${CHAT}${HOST}${HOST}${KEY}${TYPE}Content-Length: 13\r\n\r\n${BODY}`],
  ['no Host', `${CHAT}${KEY}${TYPE}Content-Length: 13\r\n\r\n${BODY}`],
  [
    'a chunk of bad size',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\n\r\nzz\r\n${BODY}\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a chunk of negative size',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\n\r\n-1\r\n${BODY}\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a chunk with 0x',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\n\r\n0xd\r\n${BODY}\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a chunk size beyond all numbers',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${SMUGGLED}`,
  ],
  [
    'a chunk longer than it says',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\n\r\n5\r\n${BODY}\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'an endless chunk extension',
    `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\n\r\nd;${'a'.repeat(40_000)}\r\n${BODY}\r\n0\r\n\r\n`,
  ],
  ['a method that is none', `FOO /v1/models HTTP/1.1\r\n${HOST}${KEY}\r\n`],
  ['a method in small letters', `get /v1/models HTTP/1.1\r\n${HOST}${KEY}\r\n`],
  ['HTTP/9.9', `GET /v1/models HTTP/9.9\r\n${HOST}${KEY}\r\n`],
  ['HTTP/2, prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['a space in the target', `GET /v1/models x HTTP/1.1\r\n${HOST}${KEY}\r\n`],
  ['two lines before the protocol', `GET /v1/\r\nmodels HTTP/1.1\r\n${HOST}${KEY}\r\n`],
  ['a control character in the target', `GET /v1/\x01models HTTP/1.1\r\n${HOST}${KEY}\r\n`],
  ['nothing but noise', `${'\xff\xfe\x00'.repeat(20)}\r\n\r\n`],
];

describe('a malformed request', { timeout: 30_000 }, () => {
  test('gets one 400, then the connection ends, and nothing of it is run', async (t) => {
    const { app, upstream } = await start(t);
    await Promise.all(
      MALFORMED.map(async ([name, bytes]) => {
        const received = await sendRaw(t, app.port, Buffer.from(bytes, 'latin1'));
        const answers = parseAnswers(received);
        assert.equal(answers.length, 1, `${name}: ${received.toString('latin1').slice(0, 500)}`);
        const [answer] = answers;
        assert.equal(answer?.status, 400, name);
        assert.equal(answer?.headers.get('connection')?.toLowerCase(), 'close', name);
        assert.match(answer?.headers.get('x-request-id') ?? '', /^req_/, name);
        const { error } = JSON.parse(answer?.body.toString() ?? '');
        assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code'], name);
        assert.ok(!received.includes('"object":"list"'), name);
      }),
    );
    assert.equal(upstream.received.length, 0);
    const served = app.logs.filter((line) => line.includes('"path":"/v1/models"'));
    assert.deepEqual(served, []);
  });

  test('of too many or too long headers gets 431', async (t) => {
    const { app } = await start(t);
    const heads = {
      'one of 17 KB': `X: ${'a'.repeat(17_000)}\r\n`,
      'many of 17 KB together': `X: ${'a'.repeat(1000)}\r\n`.repeat(17),
      'one of 1 MB': `X: ${'a'.repeat(1_000_000)}\r\n`,
      '200': 'X: 1\r\n'.repeat(200),
      '2000': 'X: 1\r\n'.repeat(2000),
    };
    for (const [name, headers] of Object.entries(heads)) {
      const [answer] = parseAnswers(
        await sendRaw(t, app.port, `GET /health HTTP/1.1\r\n${HOST}${headers}\r\n`),
      );
      assert.equal(answer?.status, 431, name);
    }
  });

  test('after a sound one: the sound one is answered first', async (t) => {
    const { app, upstream } = await start(t);
    upstream.answer = (_req, res) =>
      setTimeout(() => res.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}'), 30);
    for (const rest of [
      'NONSENSE\r\n\r\n',
      `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`,
      `GET / HTTP/1.1\r\nX\0: 1\r\n\r\n`,
    ]) {
      const received = await sendRaw(
        t,
        app.port,
        `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 13\r\n\r\n${BODY}${rest}`,
      );
      assert.deepEqual(
        parseAnswers(received).map(({ status }) => status),
        [200, 400],
        rest,
      );
    }
  });
});

describe('odd requests that are sound', { timeout: 20_000 }, () => {
  const odd: readonly (readonly [name: string, bytes: string, status: number])[] = [
    ['HTTP/1.0 without Host', 'GET /health HTTP/1.0\r\n\r\n', 200],
    [
      'chunked in capitals',
      `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: Chunked\r\nConnection: close\r\n\r\nd\r\n${BODY}\r\n0\r\n\r\n`,
      200,
    ],
    [
      'chunks with extension and trailer',
      `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nd;a=b\r\n${BODY}\r\n0\r\nX-T: 1\r\n\r\n`,
      200,
    ],
    ['empty header values', `GET /health HTTP/1.1\r\n${HOST}X:\r\nConnection: close\r\n\r\n`, 200],
    [
      'names of prototypes',
      `GET /v1/models HTTP/1.1\r\n${HOST}${KEY}__proto__: a\r\nconstructor: b\r\ntoString: c\r\nhasOwnProperty: d\r\nConnection: close\r\n\r\n`,
      200,
    ],
    [
      'UTF-8 in a header',
      `GET /v1/models HTTP/1.1\r\n${HOST}${KEY}X-Name: \xc3\xa9\r\nUser-Agent: \xff\r\nConnection: close\r\n\r\n`,
      200,
    ],
    [
      'another expectation',
      `GET /health HTTP/1.1\r\n${HOST}Expect: 200-ok\r\nConnection: close\r\n\r\n`,
      200,
    ],
    [
      'an upgrade',
      `GET /health HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: upgrade, close\r\n\r\n`,
      200,
    ],
    ['TRACE', `TRACE /v1/models HTTP/1.1\r\n${HOST}${KEY}Connection: close\r\n\r\n`, 405],
    ['PATCH', `PATCH /v1/models HTTP/1.1\r\n${HOST}${KEY}Connection: close\r\n\r\n`, 405],
    ['OPTIONS without a preflight', `OPTIONS /v1/models HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 405],
    ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400],
    ['absolute form', `GET http://x/v1/models HTTP/1.1\r\n${HOST}${KEY}Connection: close\r\n\r\n`, 400],
    ['another site', `GET //evil.example/x HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 404],
    ['a backslash', `GET /\\evil.example HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400],
    ['two slashes', `GET // HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 404],
    ['three slashes', `GET /// HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 404],
    ['%00', `GET /v1/models/%00 HTTP/1.1\r\n${HOST}${KEY}Connection: close\r\n\r\n`, 400],
    ['%zz', `GET /v1/models/%zz HTTP/1.1\r\n${HOST}${KEY}Connection: close\r\n\r\n`, 400],
    ['% at the end', `GET /v1/models/% HTTP/1.1\r\n${HOST}${KEY}Connection: close\r\n\r\n`, 400],
    ['%ff', `GET /v1/models/%ff HTTP/1.1\r\n${HOST}${KEY}Connection: close\r\n\r\n`, 404],
    ['a fragment', `GET /health#x HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400],
    ['dots', `GET /v1/../health HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 404],
    ['a target of 9 KB', `GET /${'a'.repeat(9000)} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400],
    ['an odd query', `GET /health?%zz&=&a==&\x7f HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400],
    [
      'a body for GET',
      `GET /health HTTP/1.1\r\n${HOST}Content-Length: 5\r\nConnection: close\r\n\r\nhello`,
      200,
    ],
  ];

  test('get the answer they deserve', async (t) => {
    const { app } = await start(t);
    await Promise.all(
      odd.map(async ([name, bytes, status]) => {
        const answers = parseAnswers(await sendRaw(t, app.port, Buffer.from(bytes, 'latin1')));
        assert.deepEqual(
          answers.map((answer) => answer.status),
          [status],
          name,
        );
        assert.equal(answers[0]?.headers.get('location'), undefined, name);
      }),
    );
    assert.ok(!app.logs.some((line) => line.includes('internal error')));
  });

  test('CONNECT is not tunnelled', async (t) => {
    const { app, upstream } = await start(t);
    const target = upstream.origin.replace('http://', '');
    const received = await sendRaw(t, app.port, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    assert.ok(!received.includes(' 200 '));
    assert.equal(upstream.sockets.size, 0);
  });
});

describe('Expect: 100-continue', { timeout: 20_000 }, () => {
  const EXPECT = 'Expect: 100-continue\r\n';

  for (const [name, bytes, status] of [
    [
      'a bad key',
      `${CHAT}${HOST}Authorization: Bearer sk-wrong\r\n${TYPE}${EXPECT}Content-Length: 13\r\n\r\n`,
      401,
    ],
    ['no key', `${CHAT}${HOST}${TYPE}${EXPECT}Content-Length: 13\r\n\r\n`, 401],
    ['too large a body', `${CHAT}${HOST}${KEY}${TYPE}${EXPECT}Content-Length: 99999999999\r\n\r\n`, 413],
    [
      'a wrong type',
      `${CHAT}${HOST}${KEY}Content-Type: text/plain\r\n${EXPECT}Content-Length: 13\r\n\r\n`,
      415,
    ],
    [
      'a compressed body',
      `${CHAT}${HOST}${KEY}${TYPE}Content-Encoding: gzip\r\n${EXPECT}Content-Length: 13\r\n\r\n`,
      415,
    ],
    [
      'an unknown path',
      `POST /v1/nothing HTTP/1.1\r\n${HOST}${KEY}${TYPE}${EXPECT}Content-Length: 13\r\n\r\n`,
      404,
    ],
    [
      'a wrong method',
      `POST /v1/models HTTP/1.1\r\n${HOST}${KEY}${TYPE}${EXPECT}Content-Length: 13\r\n\r\n`,
      405,
    ],
  ] as const) {
    test(`with ${name}: ${status} and no 100`, async (t) => {
      const { app } = await start(t);
      const client = rawClient(t, app.port);
      client.write(bytes);
      const [answer] = await client.answers(1);
      assert.equal(answer?.status, status);
      assert.match(client.received().toString('latin1'), /^HTTP\/1\.1 4/);
    });
  }

  test('of a sound request gets 100, then the answer', async (t) => {
    const { app } = await start(t);
    const client = rawClient(t, app.port);
    client.write(`${CHAT}${HOST}${KEY}${TYPE}${EXPECT}Content-Length: 13\r\n\r\n`);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.write(BODY);
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 200);
  });
});

describe('pipelined requests', { timeout: 20_000 }, () => {
  test('are answered in their order, each to its own key', async (t) => {
    const { app, upstream } = await start(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'a' }, { id: 'b' }]);
    const keys = [await app.addKey({ models: ['a'] }), await app.addKey({ models: ['b'] })];
    // Odd ones are slow, so that a server that does not keep order is found out.
    upstream.answer = (_req, res, { body }) => {
      const { model, user } = JSON.parse(body.toString());
      const answer = { ...CHAT_ANSWER, model, user };
      setTimeout(
        () => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
        Number(user) % 2,
      );
    };
    const client = rawClient(t, app.port);
    const requests = Array.from({ length: 100 }, (_, index) => {
      const model = index % 2 === 0 ? 'a' : 'b';
      // Every tenth asks for what its key may not use.
      const body = JSON.stringify({ model: index % 10 === 9 ? 'a' : model, user: String(index) });
      return `${CHAT}${HOST}Authorization: Bearer ${keys[index % 2]}\r\n${TYPE}Content-Length: ${body.length}\r\n\r\n${body}`;
    });
    client.write(requests.join(''));
    const answers = await client.answers(100);
    for (const [index, answer] of answers.entries()) {
      if (index % 10 === 9) assert.equal(answer.status, 403, String(index));
      else assert.equal(JSON.parse(answer.body.toString()).user, String(index));
    }
  });

  test('behind one that ends the connection are not run', async (t) => {
    const { app, upstream } = await start(t);
    const sound = `${CHAT}${HOST}${KEY}${TYPE}Content-Length: 13\r\n\r\n${BODY}`;
    for (const [first, status] of [
      [`${CHAT}${HOST}${KEY}${TYPE}Connection: close\r\nContent-Length: 13\r\n\r\n${BODY}`, 200],
      [
        `${CHAT}${HOST}Authorization: Bearer sk-wrong\r\n${TYPE}Content-Length: ${sound.length}\r\n\r\n${sound}`,
        401,
      ],
      [
        `${CHAT}${HOST}${KEY}Content-Type: text/plain\r\nContent-Length: ${sound.length}\r\n\r\n${sound}`,
        415,
      ],
    ] as const) {
      upstream.received.length = 0;
      const received = await sendRaw(t, app.port, first + sound + sound);
      assert.deepEqual(
        parseAnswers(received).map((answer) => answer.status),
        [status],
      );
      assert.ok(upstream.received.length <= (status === 200 ? 1 : 0));
    }
  });

  test('beyond all measure end the connection', async (t) => {
    const { app, upstream } = await start(t);
    upstream.answer = () => {};
    const client = rawClient(t, app.port);
    client.write(`${CHAT}${HOST}${KEY}${TYPE}Content-Length: 13\r\n\r\n${BODY}`.repeat(300));
    await client.closed;
    assert.ok(upstream.received.length <= 1);
  });
});

describe('an early refusal', { timeout: 20_000 }, () => {
  for (const [name, head, status] of [
    ['401', `${CHAT}${HOST}Authorization: Bearer sk-wrong\r\n${TYPE}`, 401],
    ['413 of a body that says its length', `${CHAT}${HOST}${KEY}${TYPE}`, 413],
    ['413 of a body in chunks', `${CHAT}${HOST}${KEY}${TYPE}Transfer-Encoding: chunked\r\n`, 413],
    ['415', `${CHAT}${HOST}${KEY}Content-Type: text/plain\r\n`, 415],
    ['404', `POST /nowhere HTTP/1.1\r\n${HOST}`, 404],
  ] as const) {
    test(`is read by a client that still sends its body: ${name}`, async (t) => {
      const upstream = await startUpstream(t, json(CHAT_ANSWER));
      const app = await startApp(t, { env: { MAX_BODY_MB: '1' } });
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
      const client = rawClient(t, app.port);
      const piece = SMUGGLED.repeat(Math.ceil(65_536 / SMUGGLED.length));
      const isChunked = head.includes('chunked');
      const count = 64;
      client.write(isChunked ? `${head}\r\n` : `${head}Content-Length: ${piece.length * count}\r\n\r\n`);
      for (let sent = 0; sent < count && !client.socket.destroyed; sent += 1) {
        const bytes = isChunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece;
        if (!client.socket.write(bytes)) await new Promise((resolve) => client.socket.once('drain', resolve));
      }
      if (isChunked) client.write('0\r\n\r\n');
      const received = await client.closed;
      const answers = parseAnswers(received);
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [status],
      );
      assert.equal(answers[0]?.headers.get('connection')?.toLowerCase(), 'close');
      assert.ok(!received.includes('"object":"list"'), 'the body was read as requests');
      assert.equal(upstream.received.length, 0);
    });
  }
});
