import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { buildSync } from 'esbuild';
import { ownPort } from '../helpers/own-port.ts';
import { makeTestFolder, runServer } from '../helpers/start-server.ts';

const ROOT = join(import.meta.dirname, '../..');
const isOfRedis = (url: string): boolean => /\/src\/redis\/|\/node_modules\/@?redis\//.test(url);

/** A script that a process has run. */
interface Trace {
  readonly url: string;
  readonly functions: readonly { functionName: string; ranges: readonly { count: number }[] }[];
}

/** What a process that has ended has run. */
function readTraces(folder: string): Trace[] {
  return readdirSync(folder).flatMap((name) => {
    return (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: Trace[] }).result;
  });
}

describe('Redis is optional', () => {
  test('a process without REDIS_URL reads no file of it, nor of the package', async (t) => {
    const filesOf = async (env: Record<string, string>, shown: string): Promise<string[]> => {
      const folder = makeTestFolder(t);
      const traces = join(folder, 'traces');
      const run = runServer(t, {
        folder,
        env: { ...env, LOG_LEVEL: 'info', NODE_V8_COVERAGE: traces },
        command: [process.execPath, '--import', import.meta.resolve('tsx'), join(ROOT, 'src/server.ts')],
      });
      await run.hasShown(shown);
      assert.deepEqual(await run.kill('SIGTERM'), [0, null]);
      return readTraces(traces).map(({ url }) => url);
    };
    const alone = await filesOf({}, '"event":"listening"');
    assert.ok(alone.filter((url) => url.includes('/src/')).length > 150);
    assert.deepEqual(alone.filter(isOfRedis), []);
    const shared = await filesOf(
      { REDIS_URL: `redis://127.0.0.1:${await ownPort(t)}` },
      '"event":"redis.away"',
    );
    assert.ok(shared.filter(isOfRedis).length > 50, 'the traces tell of it where it is loaded');
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
    const traces = join(folder, 'traces');
    const alone = run({ NODE_V8_COVERAGE: traces });
    await alone.listening;
    assert.deepEqual(await alone.kill('SIGTERM'), [0, null]);
    // esbuild wraps each file that is not imported at the start into a function of its name.
    const wrapped = readTraces(traces)
      .flatMap(({ functions }) => functions)
      .filter(({ functionName }) => functionName.startsWith('src/redis/'));
    assert.ok(wrapped.length > 20);
    assert.ok(wrapped.every(({ ranges }) => ranges[0]?.count === 0));
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
