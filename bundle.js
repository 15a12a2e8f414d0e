// `npm run bundle`: makes dist/, the whole server in one file beside the code that V8 makes of it, so that a start neither
// opens two hundred files nor parses them.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, 'dist');

/** V8 takes its code back only if version and flags are those of the build, and else parses the program as usual. */
const launch = (program) => `'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { compileFunction, constants } = require('node:vm');
const filename = join(__dirname, '${program}.cjs');
compileFunction(readFileSync(filename, 'utf8'), ['require', '__dirname'], {
  filename,
  cachedData: readFileSync(join(__dirname, '${program}.v8')),
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
})(require, __dirname);
`;

/**
 * Bundles src/ into dist/server.js and what it names. Files are replaced whole, the one that names them last, so that
 * starts at the same time do not meet.
 * @throws Error with code ERR_MODULE_NOT_FOUND where esbuild is not installed, and esbuild's own for sources that it
 *   cannot read, which it has printed.
 */
export async function bundle() {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/server.ts'],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    define: { 'import.meta.dirname': '__dirname' },
    target: 'node20.12',
    // Optional, and loaded only with REDIS_URL: it is required from beside the program.
    external: ['redis'],
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  });
  const [{ text, contents }] = outputFiles;
  const { cachedData } = compileFunction(text, ['require', '__dirname'], { produceCachedData: true });
  const program = `server-${createHash('sha256').update(contents).digest('hex').slice(0, 8)}`;
  mkdirSync(dist, { recursive: true });
  const files = {
    [`${program}.cjs`]: contents,
    [`${program}.v8`]: cachedData,
    'package.json': '{"type":"commonjs"}\n',
    'server.js': launch(program),
  };
  for (const [name, content] of Object.entries(files)) {
    const temporary = join(dist, `.${process.pid}-${name}`);
    writeFileSync(temporary, content);
    renameSync(temporary, join(dist, name));
  }
  const old = readdirSync(dist).filter((name) => !name.startsWith('.') && !(name in files));
  for (const name of old) rmSync(join(dist, name), { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
