import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownPort } from '../../helpers/own-port.ts';
import { CONTENTS, contentOf, type HttpServer, type StartOptions } from './cases.ts';
import { isMissing, runServer } from './run-server.ts';

/** It filters a body that it serves in chunks or up to the end of the connection: so its length is not known. */
export const nginx: HttpServer = {
  name: 'nginx',
  cases: ['length', 'chunks', 'trailers', 'to-close', 'close', 'early', 'none'],
  isSkipped: () => isMissing('nginx', '-v') && 'nginx is not installed',
  async start(t, options) {
    const { folder } = options;
    const port = await ownPort(t);
    writeContents(folder);
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration(port, options));
    await runServer(t, { file: 'nginx', words: ['-p', folder, '-c', file, '-e', 'stderr'], folder, port });
    return port;
  },
};

/** Files named after the numbers of their contents, in `www/`. */
export function writeContents(folder: string): void {
  mkdirSync(join(folder, 'www'));
  for (let number = 0; number < CONTENTS; number += 1)
    writeFileSync(join(folder, 'www', String(number)), contentOf(number));
}

function configuration(port: number, { folder, tls }: StartOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const filter = 'sub_filter_types *; sub_filter y z;';
  const files = `alias ${folder}/www/;`;
  return `
    worker_processes 1;
    daemon off;
    pid ${folder}/nginx.pid;
    error_log stderr crit;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n      ')}
      server {
        listen 127.0.0.1:${port}${tls === null ? '' : ' ssl'};
        ${tls === null ? '' : `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`}
        keepalive_requests 50;
        location /length/ { ${files} }
        location /close/ { ${files} keepalive_timeout 0; }
        location /chunks/ { ${files} ${filter} }
        location /trailers/ { ${files} ${filter} add_trailer x-path $uri; }
        location /to-close/ { ${files} ${filter} chunked_transfer_encoding off; }
        location /early/ { client_max_body_size 1k; proxy_pass http://127.0.0.1:1; }
        location /none/ { return 444; }
      }
    }`;
}
