import { readdirSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';

/**
 * The test files that patterns name, sorted; all of them where there is no pattern. A pattern is a folder or file of
 * test/, written with or without `test/` before it, or else any part of a file's path.
 * @returns {{ files: string[], unmatched: string[] }} paths relative to `root`, and the patterns that name no file
 */
export function selectFiles(root, patterns) {
  const all = readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
  const found = patterns.map((pattern) => matching(all, fromTestFolder(root, pattern)));
  const files =
    patterns.length === 0 ? all : all.filter((name) => found.some((names) => names.includes(name)));
  return {
    files: files.map((name) => `test/${name}`),
    unmatched: patterns.filter((_pattern, index) => found[index].length === 0),
  };
}

function fromTestFolder(root, pattern) {
  const path = isAbsolute(pattern) ? relative(root, pattern) : pattern;
  return path
    .replaceAll('\\', '/')
    .replace(/^\.\//, '')
    .replace(/^test(\/|$)/, '');
}

function matching(all, wanted) {
  const folder = wanted === '' || wanted.endsWith('/') ? wanted : `${wanted}/`;
  const inFolder = all.filter((name) => name.startsWith(folder));
  return inFolder.length > 0 ? inFolder : all.filter((name) => name.includes(wanted));
}
