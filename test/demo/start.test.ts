import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { signIn } from '../helpers/start-app.ts';
import { makeTestFolder, startServer } from '../helpers/start-server.ts';

const HOST_NOTE = /HOST is ignored: the demo listens on 127\.0\.0\.1 only/;

test('B1: the demo listens on 127.0.0.1 alone, whatever HOST says', { timeout: 60_000 }, async (t) => {
  const env = { HOST: '0.0.0.0', LOG_LEVEL: 'info', SHUTDOWN_GRACE_MS: '0' };
  const demo = await startServer(t, { folder: makeTestFolder(t), env, words: ['demo'] });
  assert.match(demo.stdout(), /"listening","host":"127\.0\.0\.1"/);
  assert.ok(await signIn(demo.origin, { username: 'admin', password: 'admin' }));
  const outward = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  if (outward !== undefined) assert.equal(await opens(demo.port, outward.address), false);
  assert.equal(await demo.stop(), 0);
  assert.match(demo.stdout(), HOST_NOTE);
});

test('B1: the demo does not speak of HOST where it says the same', { timeout: 60_000 }, async (t) => {
  const env = { HOST: '127.0.0.1', LOG_LEVEL: 'info', SHUTDOWN_GRACE_MS: '0' };
  const demo = await startServer(t, { folder: makeTestFolder(t), env, words: ['demo'] });
  assert.equal(await demo.stop(), 0);
  assert.doesNotMatch(demo.stdout(), HOST_NOTE);
});

function opens(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
