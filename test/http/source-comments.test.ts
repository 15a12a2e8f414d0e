import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { transform } from 'esbuild';
import { withoutComments } from '../../src/http/source-comments.ts';

const PUBLIC = join(import.meta.dirname, '../../public');

function sources(): string[] {
  const names = readdirSync(PUBLIC, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.(?:js|css)$/.test(name));
}

test('only comments are left out of the files of the pages', async () => {
  const files = sources();
  assert.ok(files.length > 100);
  for (const name of files) {
    const source = readFileSync(join(PUBLIC, name), 'utf8');
    const loader = name.endsWith('.css') ? 'css' : 'js';
    const minify = async (text: string) =>
      (await transform(text, { loader, minify: true, legalComments: 'none' })).code;
    const served = withoutComments(source);
    assert.equal(await minify(served), await minify(source), name);
    assert.doesNotMatch(served, /^\s*(?:\*|\/\/) /m, name);
  }
});

test('what is no comment on lines of its own stays', () => {
  const cast = 'a = [\n  /** @type {B} */ (b),\n];\n/* c */\n';
  assert.equal(withoutComments(cast), cast.replace('/* c */\n', ''));
  const kept = "const address = 'http://x'; // why\n  f(/* nothing */);\nconst re = /\\/\\*/;\n";
  assert.equal(withoutComments(kept), kept);
  assert.equal(
    withoutComments('/** What.\n * @param {string} a\n */\nlet a;\n  // why\nlet b;\n'),
    'let a;\nlet b;\n',
  );
});
