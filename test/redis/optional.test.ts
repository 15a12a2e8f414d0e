import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { buildSync } from 'esbuild';
import { ownPort } from '../helpers/own-port.ts';
import { makeTestFolder, runServer } from '../helpers/start-server.ts';

const ROOT = join(import.meta.dirname, '../..');
const STATIC = /^import (?!type\b)[^;]*?from '(\.[^']+)';/gm;

/** All files that a start loads: those that are imported as values, not by `import()`. */
function loadedBy(entry: string): Set<string> {
  const loaded = new Set<string>();
  const visit = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    const source = readFileSync(join(ROOT, path), 'utf8');
    for (const [, name = ''] of source.matchAll(STATIC)) visit(posix.join(posix.dirname(path), name));
  };
  visit(entry);
  return loaded;
}

describe('Redis is optional', () => {
  test('a start without REDIS_URL loads no file of it', () => {
    const loaded = [...loadedBy('src/server.ts')];
    assert.ok(loaded.length > 150 && loaded.includes('src/open-store.ts'));
    assert.deepEqual(
      loaded.filter((path) => path.startsWith('src/redis/')),
      [],
    );
    assert.ok(loadedBy('src/redis/open-redis.ts').has('src/redis/client.ts'), 'the search finds imports');
  });

  test('the bundle starts where the package is missing, and says what to do once it is needed', async (t) => {
    const folder = makeTestFolder(t);
    const program = join(folder, 'dist/server.cjs');
    for (const name of ['public', 'package.json']) symlinkSync(join(ROOT, name), join(folder, name));
    buildSync({
      entryPoints: [join(ROOT, 'src/server.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['redis'],
      supported: { 'dynamic-import': false },
      define: { 'import.meta.dirname': '__dirname' },
      logLevel: 'error',
    });
    const run = (env: Record<string, string>) =>
      runServer(t, { folder, env: { ...env, LOG_LEVEL: 'info' }, command: [process.execPath, program] });
    const alone = run({});
    await alone.listening;
    assert.deepEqual(await alone.kill('SIGTERM'), [0, null]);
    const refused = run({ REDIS_URL: 'redis://127.0.0.1:1' });
    assert.deepEqual(await refused.ended, [1, null]);
    assert.equal(
      refused.stderr(),
      'REDIS_URL needs the package "redis": run "npm install redis" beside the program, or build the image with WITH_REDIS=1.\n',
    );
    // As the image has it with WITH_REDIS=1.
    for (const name of ['redis', '@redis']) {
      cpSync(join(ROOT, 'node_modules', name), join(folder, 'dist/node_modules', name), { recursive: true });
    }
    const waiting = run({ REDIS_URL: `redis://127.0.0.1:${await ownPort(t)}` });
    await waiting.hasShown('"event":"redis.away"');
  });
});
