import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { StaticFolder } from '../../src/http/static.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { STATIC_FOLDER, startApp } from '../helpers/start-app.ts';
import { makeTestFolder } from '../helpers/start-server.ts';

describe('static files', { timeout: 20_000 }, () => {
  test('come with type, ETag and the policy, compressed as the client likes', async (t) => {
    const app = await startApp(t);
    const get = async (path: string, headers: string) => {
      const client = rawClient(t, app.port);
      client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
      const [answer] = await client.answers(1);
      assert.ok(answer !== undefined);
      return answer;
    };
    const plain = await get('/', '');
    assert.equal(plain.status, 200);
    assert.equal(plain.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(plain.headers.get('content-encoding'), undefined);
    assert.equal(plain.headers.get('vary'), 'accept-encoding');
    assert.match(
      plain.headers.get('content-security-policy') ?? '',
      /default-src 'none'.*object-src 'none'.*frame-ancestors 'none'/,
    );
    for (const [header, name] of [
      ['x-content-type-options', 'nosniff'],
      ['referrer-policy', 'no-referrer'],
      ['cross-origin-opener-policy', 'same-origin'],
    ] as const) {
      assert.equal(plain.headers.get(header), name);
    }
    const gzip = await get('/', 'Accept-Encoding: gzip\r\n');
    assert.equal(gzip.headers.get('content-encoding'), 'gzip');
    assert.deepEqual(gunzipSync(gzip.body), plain.body);
    const br = await get('/', 'Accept-Encoding: gzip, deflate, br\r\n');
    assert.equal(br.headers.get('content-encoding'), 'br');
    assert.deepEqual(brotliDecompressSync(br.body), plain.body);
    assert.equal(
      (await get('/', 'Accept-Encoding: br;q=0, gzip;q=0.0\r\n')).headers.get('content-encoding'),
      undefined,
    );
    const etag = plain.headers.get('etag');
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await get('/', `If-None-Match: ${tag}\r\n`);
      assert.deepEqual([again.status, again.body.length, again.headers.get('etag')], [304, 0, etag]);
    }
    assert.equal((await get('/', 'If-None-Match: "x"\r\n')).status, 200);
  });

  test('answer HEAD as GET, without a body', async (t) => {
    const app = await startApp(t);
    const [get, head] = await Promise.all([
      fetch(`${app.origin}/admin.html`),
      fetch(`${app.origin}/admin.html`, { method: 'HEAD' }),
    ]);
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('etag'), get.headers.get('etag'));
    assert.equal(await head.text(), '');
    assert.equal((await fetch(`${app.origin}/`, { method: 'POST' })).status, 405);
  });

  test('pages name their files under the version of all files, which a browser may keep', async (t) => {
    const app = await startApp(t);
    const cachingOf = async (path: string) => {
      const answer = await fetch(`${app.origin}${path}`);
      const body = await answer.text();
      return { status: answer.status, caching: answer.headers.get('cache-control'), body };
    };
    const page = await cachingOf('/admin.html');
    assert.deepEqual([page.status, page.caching], [200, 'no-cache']);
    const names = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name = '']) => name);
    const { version } = STATIC_FOLDER;
    assert.match(version, /^[\w-]{22}$/);
    for (const name of names) assert.ok(name.startsWith(`static/${version}/`), name);
    assert.ok(names.includes(`static/${version}/js/lib/h.js`), 'an import of an import');
    assert.equal(new Set(names).size, names.length - 1, 'only the sign is there twice');
    for (const name of names) {
      const plain = await cachingOf(`/${name.split('/').slice(2).join('/')}`);
      assert.deepEqual([plain.status, plain.caching], [200, 'no-cache'], name);
      const kept = { ...plain, caching: 'public, max-age=31536000, immutable' };
      assert.deepEqual(await cachingOf(`/${name}`), kept, name);
    }
    const old = await cachingOf('/static/of-another-version/js/lib/h.js');
    assert.deepEqual([old.status, old.caching], [200, 'no-cache'], 'a page from before an update');
    for (const path of [
      '',
      'js',
      'js/',
      'admin.html',
      'index.html',
      '..%2fadmin.html',
      '..%2f..%2fpackage.json',
      'js/nothing.js',
    ]) {
      const { status, caching } = await cachingOf(`/static/${version}/${path}`);
      assert.deepEqual([status, caching], [404, 'no-store'], path);
    }
  });

  test('have another version when one of them is another one', (t) => {
    const versionOf = (files: Readonly<Record<string, string>>): string => {
      const folder = makeTestFolder(t);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      return new StaticFolder(folder).version;
    };
    const files = { 'a.js': 'let a;\n', 'b.css': 'p {}\n', 'index.html': '<p>' };
    const version = versionOf(files);
    assert.equal(versionOf({ ...files, 'index.html': '<b>' }), version);
    assert.equal(versionOf({ ...files, 'a.js': '// Why.\nlet a;\n' }), version);
    assert.notEqual(versionOf({ ...files, 'a.js': 'let b;\n' }), version);
    assert.notEqual(versionOf({ 'index.html': '<p>', 'b.js': 'let a;\n', 'b.css': 'p {}\n' }), version);
  });

  const spellings = [
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/package.json',
    '/%2e%2e%2fpackage.json',
    '/..%5cpackage.json',
    '/....//package.json',
    '/./index.html',
    '/index.html%00.js',
    '/js/../index.html',
    '/js/..%2findex.html',
    '//index.html',
    '/js//pages/admin.js',
    '/js',
    '/js/',
    '/ipin-proxy.db',
    '/data/ipin-proxy.db',
    '/.env',
    '/.git/config',
    '/.git/HEAD',
    '/server.js',
    '/package.json',
    '/src/server.ts',
    '/dist/server.js',
    '/node_modules/tsx/package.json',
    '/public/index.html',
    '/etc/passwd',
    '/%2fetc/passwd',
    '/file:///etc/passwd',
    '/index.html~',
    '/index.html.bak',
    '/Admin.html',
    '/ADMIN.HTML',
    '/admin.html/',
    '/admin.html.',
    '/admin.html%20',
    '/tsconfig.json',
    '/__proto__',
    '/constructor',
    '/admin.html/../../package.json',
  ];

  test('are those of the folder and nothing else, in whatever spelling', async (t) => {
    const app = await startApp(t);
    for (const path of spellings) {
      const client = rawClient(t, app.port);
      client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const [answer] = await client.answers(1);
      assert.ok(answer?.status === 404 || answer?.status === 400, `${path}: ${answer?.status}`);
      assert.match(answer.body.toString(), /^\{"error":/, path);
    }
  });

  test('are listed at the start: types known, links and hidden files left out', (t) => {
    const folder = makeTestFolder(t);
    mkdirSync(join(folder, 'js'));
    for (const name of ['index.html', 'js/a.js', 'b.css', 'tsconfig.json', '.env', 'notes.txt', 'c.map'])
      writeFileSync(join(folder, name), name);
    symlinkSync('/etc/passwd', join(folder, 'link.html'));
    assert.deepEqual([...new StaticFolder(folder).files.keys()].sort(), ['/', '/b.css', '/js/a.js']);
  });
});
