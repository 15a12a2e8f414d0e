import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { withoutComments } from '../../src/http/source-comments.ts';

const PUBLIC = join(import.meta.dirname, '../../public');
/** For the first view of the chat: page, styles and modules, compressed one by one as the server sends them. */
const MOST_BYTES = 80 * 1024;
const IMPORT = /^(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|^import\s+'([^']+)'/gm;
/** Come with what needs them first: a message, a file, an export, a comparison. */
const LATER = ['chat/render/', 'chat/request/ask.js', 'chat/history/transfer.js', 'chat/compare/compare.js'];

/** A file and all that it imports at once. */
function filesOf(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  for (const [, from, only] of code.matchAll(IMPORT)) filesOf(join(dirname(path), from ?? only ?? ''), seen);
  return seen;
}

test('the first view of the chat stays light, and the heavy parts come when they are needed', () => {
  const html = readFileSync(join(PUBLIC, 'chat.html'), 'utf8');
  const linked = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, name = '']) => join(PUBLIC, name));
  const modules = filesOf(join(PUBLIC, 'js/pages/chat.js'));
  // `chat.js` adds it, for the panel's tab.
  const all = new Set([join(PUBLIC, 'chat.html'), join(PUBLIC, 'chat.css'), ...linked, ...modules]);
  assert.ok(modules.size > 40);
  const names = [...modules].map((path) => relative(join(PUBLIC, 'js'), path));
  for (const part of LATER)
    assert.deepEqual(
      names.filter((name) => name.startsWith(part)),
      [],
      part,
    );
  const served = (path: string): string => {
    const text = readFileSync(path, 'utf8');
    return /\.(?:js|css)$/.test(path) ? withoutComments(text) : text;
  };
  const bytes = [...all].reduce((sum, path) => sum + brotliCompressSync(served(path)).length, 0);
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
});
