import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownPort } from '../../helpers/own-port.ts';
import type { HttpServer, StartOptions } from './cases.ts';
import { writeContents } from './nginx.ts';
import { isMissing, runServer } from './run-server.ts';

/** What a program writes becomes chunks, and a file has a length. */
export const lighttpd: HttpServer = {
  name: 'lighttpd',
  cases: ['length', 'close', 'early'],
  isSkipped: () => isMissing('lighttpd', '-v') && 'lighttpd is not installed',
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
