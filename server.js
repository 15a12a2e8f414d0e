// Starts iPin Proxy. A Node that strips types (22.18 and newer) runs src/ as it is; an older one runs dist/server.js,
// which is bundled first where it is missing or older than src/.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (...names) => join(dirname(fileURLToPath(import.meta.url)), ...names);
const modifiedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const runsSources = existsSync(at('src/server.ts')) && process.features.typescript;

function isStale() {
  const sources = readdirSync(at('src'), { recursive: true }).map((name) => at('src', name));
  return [at('src'), ...sources].some((path) => modifiedAt(path) > modifiedAt(at('dist/server.js')));
}

async function build() {
  const { bundle } = await import('./bundle.js');
  await bundle().catch(({ code }) => {
    const whatToDo =
      code === 'ERR_MODULE_NOT_FOUND'
        ? 'run "npm ci" once (or use Node 22.18 or newer, which needs nothing installed)'
        : 'the sources could not be built, as said above';
    console.error(`Node ${process.versions.node}: ${whatToDo}`);
    process.exit(1);
  });
}

if (existsSync(at('src')) && !runsSources && isStale()) await build();
await import(runsSources ? './src/server.ts' : './dist/server.js');
