import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { curlForm, pictureOf } from '../helpers/pictures.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { closeAfter, expectNothingHeld } from '../helpers/teardown.ts';

const EARLY = '{"data":[]}';

test('A14: a provider that responds before the upload has ended, and never closes, holds no connection', async (t) => {
  const upstream = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${EARLY.length}`;
      socket.write(`${head}\r\n\r\n${EARLY}`);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  closeAfter(t, () => void upstream.close());
  const address = upstream.address();
  assert.ok(typeof address === 'object' && address !== null);
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: `http://127.0.0.1:${address.port}` }, [{ id: 'm' }]);
  const form = curlForm([
    ['model', 'm'],
    ['image', pictureOf('image/png', 60_000), { name: 'a.png', type: 'image/png' }],
  ]);
  const client = rawClient(t, app.port);
  client.write(
    `POST /v1/images/edits HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\n` +
      `Content-Type: ${form.contentType}\r\nContent-Length: ${form.body.length}\r\n\r\n`,
  );
  client.write(form.body.subarray(0, 30_000));
  const [answer] = await client.answers(1);
  assert.equal(String(answer?.body), EARLY);
  client.write(form.body.subarray(30_000));
  await expectNothingHeld(app.services);
});
