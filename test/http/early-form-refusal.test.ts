import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { parseAnswers, rawClient } from '../helpers/raw-socket.ts';
import { MASTER_KEY, startApp } from '../helpers/start-app.ts';

const MEBIBYTE = 1024 * 1024;
const model = (id: string): string => `--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n${id}\r\n`;
const file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n';
const noImage =
  '--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nno image at all';

type Row = readonly [name: string, path: string, begin: string, status: number];
const ROWS: readonly Row[] = [
  ['a model that is unknown', 'audio/transcriptions', model('nope') + file, 404],
  ['a form that is none', 'audio/translations', `${'no form '.repeat(20_000)}`, 400],
  ['a model twice', 'audio/transcriptions', model('m') + model('m') + file, 400],
  ['an image that is none', 'images/edits', model('m') + noImage, 400],
  ['an image to read that is none', 'ocr', model('m') + noImage.replace('image', 'file'), 400],
];

for (const [name, path, begin, status] of ROWS) {
  test(`the refusal of ${name} reaches a client that is still sending`, { timeout: 20_000 }, async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const client = rawClient(t, app.port);
    const errors: unknown[] = [];
    client.socket.on('error', (error) => errors.push(error));
    const rest = Buffer.alloc(16 * MEBIBYTE);
    client.write(
      `POST /v1/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\n` +
        `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${begin.length + rest.length}\r\n\r\n${begin}`,
    );
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, status);
    // More than sockets hold: it only goes out where the other side still reads.
    client.write(rest);
    await once(client.socket, 'end');
    await client.closed;
    assert.deepEqual(errors, []);
    assert.ok(client.socket.bytesWritten > rest.length);
    assert.equal(parseAnswers(client.received()).length, 1);
  });
}
