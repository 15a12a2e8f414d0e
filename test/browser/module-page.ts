import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { TestContext } from 'node:test';
import { baseHeaders } from '../../src/http/headers.ts';

const HERE = import.meta.dirname;
const PUBLIC = join(HERE, '../../public');
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

export interface ModulePage {
  readonly title: string;
  /** Files of this folder: `NAME-page.js` is served as `/page.js`, `NAME-page.css` as `/page.css`. */
  readonly name: string;
  /** Style sheets of the app. */
  readonly styles: readonly string[];
}

/** Serves a page for modules of the app, under the policy of the app's pages; answers its origin. */
export async function serveModulePage(t: TestContext, page: ModulePage): Promise<string> {
  const html = pageOf(page);
  const server = createServer((request, response) => {
    const headers = Object.fromEntries(pairs(baseHeaders(page.name, 'page')));
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      response.writeHead(200, { ...headers, 'content-type': 'text/html' }).end(html);
      return;
    }
    const own = /^\/page\.(css|js)$/.exec(pathname)?.[1];
    const path =
      own === undefined ? join(PUBLIC, normalize(pathname)) : join(HERE, `${page.name}-page.${own}`);
    if (!existsSync(path)) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { ...headers, 'content-type': type }).end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

function pageOf({ title, styles }: ModulePage): string {
  const links = styles.map((href) => `<link rel="stylesheet" href="${href}">`).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/favicon.svg">
${links}
<script type="module" src="/page.js"></script>
</head>
<body><main><h1>${title}</h1></main></body>
</html>`;
}

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((name, index) =>
    index % 2 === 0 ? [[name, list[index + 1] ?? ''] as [string, string]] : [],
  );
}
