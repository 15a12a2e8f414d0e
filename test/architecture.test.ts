import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checkClients,
  checkImports,
  checkMap,
  checkPage,
  checkPurity,
  checkShape,
  checkSyntax,
  checkTables,
  findCircles,
  findUnusedExports,
  importsOf,
  type Rule,
} from './architecture-rules.ts';

const ROOT = join(import.meta.dirname, '..');

function filesIn(folder: string, extension: RegExp): [string, string][] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => extension.test(path))
    .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]);
}

function problemsOf(rule: Rule, files: readonly [string, string][]): string[] {
  assert.ok(files.length > 0, 'there are files to look at');
  return files.flatMap(([path, source]) => rule(path, source));
}

describe('src/', () => {
  const files = filesIn('src', /\.ts$/);

  test('imports point down only', () => {
    assert.deepEqual(problemsOf(checkImports, files), []);
  });

  test('what translates and decides opens no socket and no file', () => {
    assert.deepEqual(problemsOf(checkPurity, files), []);
  });

  test('uses no HTTP client but its own', () => {
    assert.deepEqual(problemsOf(checkClients, files), []);
  });

  test('imports have no circle', () => {
    assert.deepEqual(
      findCircles(new Map(files.map(([path, source]) => [path, importsOf(path, source)]))),
      [],
    );
  });

  test('names each route and each endpoint in one row', () => {
    assert.deepEqual(problemsOf(checkTables, files), []);
  });

  test('is what the map in CONTRIBUTING says', () => {
    const entries = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? `${entry.name}/` : entry.name,
    );
    const map = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').split('### ')[0] ?? '';
    assert.deepEqual(checkMap(map, entries), []);
    assert.deepEqual(checkMap(map, [...entries, 'attic/', 'new.ts']), [
      'attic/: not in the map',
      'new.ts: not in the map',
    ]);
    assert.deepEqual(
      checkMap(
        map,
        entries.filter((entry) => entry !== 'demo/'),
      ),
      ['demo/: only in the map'],
    );
  });

  test('holds only syntax that erases, and no banned habit', () => {
    assert.deepEqual(problemsOf(checkSyntax, files), []);
  });

  test('has short files with telling names', () => {
    assert.deepEqual(problemsOf(checkShape, files), []);
  });
});

test('public/ makes no HTML from strings and holds nothing inline', () => {
  assert.deepEqual(problemsOf(checkPage, filesIn('public', /\.(js|html)$/)), []);
});

test('public/ exports only what another file uses', () => {
  assert.deepEqual(findUnusedExports(filesIn('public', /\.js$/), filesIn('test', /\.(ts|js|mjs)$/)), []);
});

test('bench/ holds only syntax that erases', () => {
  const files = filesIn('bench', /\.ts$/).filter(([path]) => !path.startsWith('bench/results/'));
  assert.deepEqual(problemsOf(checkSyntax, files), []);
});

describe('the rules catch', () => {
  const bad: readonly (readonly [string, Rule, string, string])[] = [
    ['an import that points up', checkImports, 'src/gateway/x.ts', "import { a } from '../routes/a.ts';"],
    [
      'a type import that points up',
      checkImports,
      'src/protocols/x.ts',
      "import type { A } from '../gateway/a.ts';",
    ],
    ['a re-export that points up', checkImports, 'src/errors.ts', "export { a } from './http/a.ts';"],
    [
      'a lazy import that points up',
      checkImports,
      'src/http/x.ts',
      "const a = await import('../routes/a.ts');",
    ],
    [
      'a list over several lines',
      checkImports,
      'src/providers/x.ts',
      "import {\n  a,\n  b,\n} from '../app.ts';",
    ],
    [
      'a driver outside server.ts',
      checkImports,
      'src/routes/x.ts',
      "import { a } from '../store/json-file-store.ts';",
    ],
    [
      'an http file that knows of AI',
      checkImports,
      'src/http/x.ts',
      "import { a } from '../providers/adapter.ts';",
    ],
    [
      'an endpoint outside its table',
      checkTables,
      'src/routes/v1/x.ts',
      "if (path === 'chat/completions') return;",
    ],
    [
      'a comparison of endpoint paths',
      checkTables,
      'src/gateway/x.ts',
      'if (endpoint.path === name) return;',
    ],
    [
      'a second table of routes',
      checkTables,
      'src/routes/x.ts',
      "const ROWS = [['GET', '/api/x', 'admin', x]];",
    ],
    ['node:http in the gateway', checkPurity, 'src/gateway/x.ts', "import { request } from 'node:http';"],
    ['a package', checkImports, 'src/app.ts', "import express from 'express';"],
    ['./x.js', checkImports, 'src/app.ts', "import { a } from './config.js';"],
    ['./x', checkImports, 'src/app.ts', "import { a } from './config';"],
    ['a file in no room', checkImports, 'src/misc/a.ts', ''],
    ['an import from no room', checkImports, 'src/app.ts', "import { a } from './a.ts';"],
    ['enum', checkSyntax, 'src/a.ts', 'export enum A { B }'],
    ['const enum', checkSyntax, 'src/a.ts', 'const enum A { B }'],
    ['namespace', checkSyntax, 'src/a.ts', 'namespace A {\n}'],
    ['a parameter property', checkSyntax, 'src/a.ts', 'class A { constructor(private b: string) {} }'],
    [
      'a later parameter property',
      checkSyntax,
      'src/a.ts',
      'class A { constructor(a: B, readonly b: C) {} }',
    ],
    ['using', checkSyntax, 'src/a.ts', '  using file = open();'],
    ['a decorator', checkSyntax, 'src/a.ts', '@sealed\nclass A {}'],
    ['any', checkSyntax, 'src/a.ts', 'const a: any = 1;'],
    ['any as an argument', checkSyntax, 'src/a.ts', 'const a = new Map<string, any>();'],
    ['as any', checkSyntax, 'src/a.ts', 'const a = b as any;'],
    ['a default export', checkSyntax, 'src/a.ts', 'export default function a() {}'],
    ['a renamed default export', checkSyntax, 'src/a.ts', 'export { a as default };'],
    ['export =', checkSyntax, 'src/a.ts', 'export = a;'],
    ["node:http's client", checkClients, 'src/a.ts', "import { createServer, request } from 'node:http';"],
    ["node:http's agent", checkClients, 'src/a.ts', "import {\n  Agent as A,\n} from 'node:http';"],
    ["node:https's client", checkClients, 'src/a.ts', "import { get } from 'node:https';"],
    ['the whole of node:http', checkClients, 'src/a.ts', "import * as http from 'node:http';"],
    ['fetch', checkClients, 'src/a.ts', 'const a = await fetch(url);'],
    ['unchecked TLS', checkSyntax, 'src/a.ts', 'const a = { rejectUnauthorized: false };'],
    ['new URL(req.url)', checkSyntax, 'src/a.ts', 'const a = new URL(req.url, base);'],
    ['new URL(this.request.url)', checkSyntax, 'src/a.ts', 'const a = new URL(this.request.url, base);'],
    ['an admission that nobody waits for', checkSyntax, 'src/a.ts', '  open.admit(size);'],
    ['a silenced type check', checkSyntax, 'src/a.ts', '// @ts-expect-error\nf();'],
    ['a long file', checkShape, 'src/a.ts', 'a\n'.repeat(301)],
    ['a drawer', checkShape, 'src/utils/a.ts', ''],
    ['camelCase', checkShape, 'src/httpError.ts', ''],
    ['innerHTML', checkPage, 'public/js/a.js', 'node.innerHTML = text;'],
    ['eval', checkPage, 'public/js/a.js', 'eval(text);'],
    ['an inline script', checkPage, 'public/a.html', '<script>go()</script>'],
    ['an inline style', checkPage, 'public/a.html', '<p style="color: red">'],
    ['an inline handler', checkPage, 'public/a.html', '<p class="a" onclick="go()">'],
  ];
  for (const [name, rule, path, source] of bad) {
    test(name, () => assert.equal(rule(path, source).length, 1, source));
  }

  test('a circle', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ]);
    assert.deepEqual(findCircles(graph), ['b -> d -> b']);
  });

  test('an export that nothing uses', () => {
    const modules = [
      [
        'a.js',
        'export const used = 1;\nexport async function lost() { return used; }\nexport class Tested {}',
      ],
      ['b.js', "import { used } from './a.js';\nuse(used);"],
    ] as const;
    assert.deepEqual(findUnusedExports(modules, [['a.test.ts', 'new Tested();']]), ['a.js: lost']);
  });
});

describe('the rules let pass', () => {
  const good: readonly (readonly [string, Rule, string, string])[] = [
    [
      'an import that points down',
      checkImports,
      'src/routes/x.ts',
      "import type { A } from '../gateway/a.ts';",
    ],
    [
      'a neighbour',
      checkImports,
      'src/http/x.ts',
      "import { a } from './y.ts';\nimport { join } from 'node:path';",
    ],
    ['a codec, from anywhere', checkImports, 'src/providers/x.ts', "import { a } from '../http/sse.ts';"],
    [
      'a type of node:http',
      checkPurity,
      'src/protocols/x.ts',
      "import type { IncomingHttpHeaders } from 'node:http';",
    ],
    [
      'the server of node:http, and types of its client',
      checkClients,
      'src/a.ts',
      "import { createServer, type Agent } from 'node:http';\nimport type { ClientRequest } from 'node:http';",
    ],
    ['node:http at the edge', checkPurity, 'src/providers/x.ts', "import { request } from 'node:http';"],
    [
      'a driver in server.ts',
      checkImports,
      'src/server.ts',
      "import { a } from './store/json-file-store.ts';",
    ],
    [
      'words in comments',
      checkSyntax,
      'src/a.ts',
      '// @deprecated enum A is: any\n/**\n * @throws any\n */\nlet a = 1;',
    ],
    ['words in strings', checkSyntax, 'src/a.ts', "const a = 'takes: any key, enum A {';"],
    ['names that begin alike', checkSyntax, 'src/a.ts', 'const a: anything = enumerate(using);'],
    ['a readonly list', checkSyntax, 'src/a.ts', 'class A { constructor(a: readonly string[]) {} }'],
    ['an outside script', checkPage, 'public/a.html', '<script type="module" src="/js/a.js"></script>'],
    ['a refused name', checkPage, 'public/js/a.js', "const REFUSED = ['innerHTML'];"],
  ];
  for (const [name, rule, path, source] of good) {
    test(name, () => assert.deepEqual(rule(path, source), []));
  }
});
