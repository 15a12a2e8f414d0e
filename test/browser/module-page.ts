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
  /** In the order in which they apply, such as `/charts.css`. */
  readonly styles: readonly string[];
  readonly script: string;
  /** Paths that are files of this folder. */
  readonly own: Readonly<Record<string, string>>;
}

/** Serves a page that shows modules of the panel on their own, under the policy of the app's pages; answers its origin. */
export async function serveModulePage(t: TestContext, page: ModulePage): Promise<string> {
  const server = createServer((request, response) => {
    const headers = Object.fromEntries(pairs(baseHeaders('module-page', 'page')));
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      response.writeHead(200, { ...headers, 'content-type': 'text/html' }).end(htmlOf(page));
      return;
    }
    const own = page.own[pathname];
    const path = own === undefined ? join(PUBLIC, normalize(pathname)) : join(HERE, own);
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

function htmlOf({ title, styles, script }: ModulePage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/favicon.svg">
${styles.map((href) => `<link rel="stylesheet" href="${href}">`).join('\n')}
<script type="module" src="${script}"></script>
</head>
<body><main><h1>${title}</h1></main></body>
</html>`;
}

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((name, index) =>
    index % 2 === 0 ? [[name, list[index + 1] ?? ''] as [string, string]] : [],
  );
}
