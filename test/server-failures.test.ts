import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTestFolder, runServer, startServer } from './helpers/start-server.ts';

/** Runs before the program: what of Node's server is to fail, and when. */
function failing(code: string): { NODE_OPTIONS: string } {
  const source = `import { Server } from 'node:http';\n${code}`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(source)}` };
}

const ENV = { DB_PATH: 'data.db', LOG_LEVEL: 'info', MASTER_API_KEY: 'sk-0123456789abcdef0123456789abcdef' };
const FAILS_LATER = failing(`
  const { listen } = Server.prototype;
  Server.prototype.listen = function (...words) {
    process.once('SIGUSR2', () => this.emit('error', new Error('no more connections')));
    return listen.apply(this, words);
  };`);
const FAILS_IN_THE_DRAIN = failing(`
  Server.prototype.closeAllConnections = () => { throw new Error('they stay'); };`);

const skip = process.platform === 'win32' && 'Windows has no such signals';

test('an error of a server that listens is no matter of its address: it is logged, and all is saved', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const server = runServer(t, { folder: makeTestFolder(t), env: { ...ENV, ...FAILS_LATER } });
  await server.listening;
  assert.deepEqual(await server.kill('SIGUSR2'), [1, null]);
  assert.equal(server.stderr(), '');
  assert.match(server.stdout(), /"event":"crash".*no more connections/);
});

test('a shutdown that fails says why', { skip, timeout: 60_000 }, async (t) => {
  const server = await startServer(t, { folder: makeTestFolder(t), env: { ...ENV, ...FAILS_IN_THE_DRAIN } });
  assert.equal(await server.stop(), 1);
  assert.equal(server.stderr(), 'The shutdown failed: they stay\n');
});
