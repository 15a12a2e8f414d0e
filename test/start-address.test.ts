import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prepareProgram } from './helpers/programs.ts';
import { makeTestFolder, runServer } from './helpers/start-server.ts';

const ENTRY = fileURLToPath(new URL('../src/server.ts', import.meta.url));
const ENV = { DB_PATH: 'data.db', LOG_LEVEL: 'info', MASTER_API_KEY: 'sk-0123456789abcdef0123456789abcdef' };
/** The one of util-linux gives a program a terminal. */
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux');

test('at a terminal the start says which address to open', {
  timeout: 60_000,
  skip: hasScript ? false : 'there is no script(1) of util-linux',
}, async (t) => {
  const program = prepareProgram(ENTRY)
    .map((word) => `'${word}'`)
    .join(' ');
  const command = ['script', '-qec', program, '/dev/null'];
  const run = runServer(t, { folder: makeTestFolder(t), env: ENV, command });
  const { port } = new URL(await run.listening);
  await run.hasShown(`Open http://localhost:${port}`);
});

test('where the output is collected, the start writes nothing but its log', {
  timeout: 60_000,
}, async (t) => {
  const run = runServer(t, { folder: makeTestFolder(t), env: ENV });
  await run.listening;
  await run.kill('SIGTERM');
  for (const line of run.stdout().trim().split('\n')) assert.ok(JSON.parse(line), line);
});
