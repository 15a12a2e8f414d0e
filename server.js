// Starts iPin Proxy. A Node that strips types (22.18 and newer) runs src/ as it is; an older one runs dist/,
// which is compiled first where it is missing or older than src/.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (...names) => join(dirname(fileURLToPath(import.meta.url)), ...names);
const modifiedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const runsSources = existsSync(at('src/server.ts')) && process.features.typescript;

function fail(whatToDo) {
  console.error(`Node ${process.versions.node}: ${whatToDo}`);
  process.exit(1);
}

function isStale() {
  const sources = readdirSync(at('src'), { recursive: true }).map((name) => at('src', name));
  return [at('src'), ...sources].some((path) => modifiedAt(path) > modifiedAt(at('dist/server.js')));
}

/** Compiles into a folder of its own and moves file by file, the entry last: starts at the same time do not meet. */
function compile() {
  const tsc = at('node_modules/typescript/bin/tsc');
  if (!existsSync(tsc)) fail('run "npm ci" once (or use Node 22.18 or newer, which needs nothing installed)');
  const made = at('dist', `.compiling-${process.pid}`);
  const options = ['-p', at('.'), '--outDir', made, '--noCheck'];
  const { status } = spawnSync(process.execPath, [tsc, ...options], { stdio: [0, 2, 2] });
  if (status !== 0) fail('the sources could not be compiled, as said above');
  const names = readdirSync(made, { recursive: true }).filter((name) => /\.js(\.map)?$/.test(name));
  for (const name of [...names.filter((name) => name !== 'server.js'), 'server.js']) {
    mkdirSync(at('dist', dirname(name)), { recursive: true });
    renameSync(join(made, name), at('dist', name));
  }
  rmSync(made, { recursive: true });
}

if (existsSync(at('src')) && !runsSources && isStale()) compile();
await import(runsSources ? './src/server.ts' : './dist/server.js');
