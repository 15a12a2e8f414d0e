import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorOf } from '../helpers/picture-server.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { expectStatus, MASTER_KEY } from '../helpers/start-app.ts';
import { startTwoProviders } from './two-providers.ts';

const BODY = '{"model":"model-1","messages":[]}';

describe('the type of a JSON body', { timeout: 30_000 }, () => {
  const fine = [
    'application/json',
    'application/json;',
    'application/json; charset=utf-8',
    'Application/JSON;CHARSET="UTF-8"',
    'application/json; charset=utf8',
    'application/json; charset=us-ascii',
    'application/json; charset=utf-8; charset=UTF-8',
    'application/vnd.api+json; version=1',
  ];
  for (const type of fine) {
    test(`B4: ${type} goes on as application/json`, async (t) => {
      const { app, one } = await startTwoProviders(t);
      const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': type };
      const init = { method: 'POST', headers, body: BODY };
      await expectStatus(200, await fetch(`${app.origin}/v1/chat/completions`, init));
      assert.equal(one.received[0]?.headers['content-type'], 'application/json');
    });
  }

  const wrong = [
    'application/json; charset=utf-7',
    'application/json; charset=unicode_escape',
    'application/json; charset="utf-16"',
    'application/json;charset = utf-16le',
    'application/json; CharSet=latin1',
    'application/json; charset=utf-8; charset=utf-7',
    'application/json; charset=utf-7; charset=utf-8',
    `application/json; charset*=utf-8''utf-7`,
    'application/json; charset*0=utf-7',
    'application/json; charset',
    'application/json; charset=',
    'application/json; x=";charset=utf-7"',
    'application/vnd.api+json; charset=utf-32',
  ];
  for (const type of wrong) {
    test(`B4: ${type} is refused everywhere`, async (t) => {
      const { app, one } = await startTwoProviders(t);
      const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': type };
      for (const path of ['/v1/chat/completions', '/v1/ocr', '/api/login']) {
        const response = await fetch(`${app.origin}${path}`, { method: 'POST', headers, body: BODY });
        assert.equal((await errorOf(415, response)).code, 'unsupported_content_type', path);
      }
      assert.equal(one.received.length, 0);
    });
  }

  test('B4: is there for the provider though Connection names it', async (t) => {
    const { app, one } = await startTwoProviders(t);
    const client = rawClient(t, app.port);
    client.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nConnection: close, content-type\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    );
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 200);
    assert.equal(one.received[0]?.headers['content-type'], 'application/json');
  });
});
