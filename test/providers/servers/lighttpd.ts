import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownPort } from '../../helpers/own-port.ts';
import type { HttpServer, StartOptions } from './cases.ts';
import { writeContents } from './nginx.ts';
import { isMissing, runServer } from './run-server.ts';

const TLS_MODULE = '/usr/lib/lighttpd/mod_openssl.so';

/** It closes every connection after its 30th request, in the middle of traffic. */
export const lighttpd: HttpServer = {
  name: 'lighttpd',
  cases: ['length', 'close', 'early'],
  isSkipped() {
    if (isMissing('lighttpd', '-v') !== false) return 'lighttpd is not installed';
    return !existsSync(TLS_MODULE) && 'lighttpd-mod-openssl is not installed';
  },
  async start(t, options) {
    const { folder } = options;
    const port = await ownPort(t);
    writeContents(folder);
    const file = join(folder, 'lighttpd.conf');
    writeFileSync(file, configuration(port, options));
    await runServer(t, { file: 'lighttpd', words: ['-D', '-f', file], folder, port });
    return port;
  },
};

function configuration(port: number, { folder, tls }: StartOptions): string {
  const ssl = `
    server.modules += ("mod_openssl")
    ssl.engine = "enable"
    ssl.pemfile = "${tls?.cert}"
    ssl.privkey = "${tls?.key}"`;
  return `
    server.modules = ("mod_alias")
    server.document-root = "${folder}"
    server.bind = "127.0.0.1"
    server.port = ${port}
    server.max-keep-alive-requests = 30
    server.max-request-size = 1
    server.stream-request-body = 1
    mimetype.assign = ("" => "application/octet-stream")
    alias.url = ("/length/" => "${folder}/www/", "/close/" => "${folder}/www/")
    $HTTP["url"] =~ "^/close/" { server.max-keep-alive-requests = 0 }
    ${tls === null ? '' : ssl}`;
}
