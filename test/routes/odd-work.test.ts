import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareProgram } from '../helpers/programs.ts';

/** Many times what it takes on a slow machine; a fraction of what it would take if it grew with the square. */
const LIMIT_MS = 45_000;

test('no odd request or answer stops the server for minutes', { timeout: 2 * LIMIT_MS }, () => {
  const [node = '', ...words] = prepareProgram(join(import.meta.dirname, 'odd-work-program.ts'));
  const { status, signal, stderr } = spawnSync(node, words, { timeout: LIMIT_MS, killSignal: 'SIGKILL' });
  assert.deepEqual([status, signal], [0, null], stderr.toString());
});
