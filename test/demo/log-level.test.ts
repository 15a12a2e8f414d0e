import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTestFolder, runServer } from '../helpers/start-server.ts';

const ROWS: readonly (readonly [what: string, file: string, variable: string | undefined, logs: boolean])[] =
  [
    ['nowhere', '', undefined, false],
    ['in .env', 'LOG_LEVEL=info\n', undefined, true],
    ['in the environment, over .env', 'LOG_LEVEL=info\n', 'error', false],
    ['in .env, and empty in the environment', 'LOG_LEVEL=debug\n', '', true],
    ['empty in both', 'LOG_LEVEL=\n', '', false],
  ];

for (const [what, file, variable, logs] of ROWS) {
  test(`A12: the demo with LOG_LEVEL ${what} ${logs ? 'logs its start' : 'shows its instructions alone'}`, async (t) => {
    const folder = makeTestFolder(t);
    writeFileSync(join(folder, '.env'), file);
    const env = variable === undefined ? {} : { LOG_LEVEL: variable };
    const run = runServer(t, { folder, words: ['demo'], env });
    await run.hasShown('curl ');
    // The log is buffered; all of it is written when the process has ended.
    await run.kill('SIGTERM');
    assert.equal(run.stdout().includes('"event":"listening"'), logs);
  });
}
