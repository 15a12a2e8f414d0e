import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Writes programs of many test files each, because starting a process, with a Chromium or with the loading of the
 * sources, costs more than most files. Node that strips types loads the files as they are; for an older one they are
 * bundled with the sources, which takes a third of the time that tsx needs to load them.
 * @returns {Promise<string[]>} the programs, those of the browser first, because they take longest
 */
export async function groupFiles({ root, files, folder, browserGroups, otherGroups }) {
  const inBrowser = files.filter((name) => name.startsWith('test/browser/'));
  const others = files.filter((name) => !inBrowser.includes(name));
  const groups = [...deal('browser', inBrowser, browserGroups), ...deal('group', others, otherGroups)];
  const type = process.features.typescript ? 'mjs' : 'ts';
  const entries = groups.map(({ label, names }) => {
    const path = join(folder, `${label}.${type}`);
    const imports = names.map((name) => `import ${JSON.stringify(pathToFileURL(join(root, name)).href)};\n`);
    writeFileSync(path, imports.join(''));
    return path;
  });
  if (type === 'ts') await bundle(root, entries, folder);
  return entries.map((path) => path.replace(/\.ts$/, '.mjs'));
}

/** Deals names out to groups, so that neighbours, which are alike, do not meet in one group. */
function deal(label, names, count) {
  return Array.from({ length: Math.min(count, names.length) }, (_, index) => ({
    label: `${label}-${index + 1}`,
    names: names.filter((_name, at) => at % count === index),
  }));
}

async function bundle(root, entries, folder) {
  const { build } = await import('esbuild');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  await build({
    entryPoints: entries,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.12',
    sourcemap: 'linked',
    plugins: [fromFileUrls, keepPlaces],
    logLevel: 'error',
  });
}

const fromFileUrls = {
  name: 'from-file-urls',
  setup(building) {
    building.onResolve({ filter: /^file:/ }, ({ path }) => ({ path: fileURLToPath(path) }));
  },
};

/** Files are where they were for what they read beside themselves. */
const keepPlaces = {
  name: 'keep-places',
  setup(building) {
    building.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes('import.meta.')) return undefined;
      const contents = text
        .replace(/(?<!')import\.meta\.dirname/g, () => JSON.stringify(dirname(path)))
        .replace(/(?<!')import\.meta\.url/g, () => JSON.stringify(pathToFileURL(path).href));
      return { loader: 'ts', contents };
    });
  },
};
