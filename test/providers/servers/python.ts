import { fileURLToPath } from 'node:url';
import { ownPort } from '../../helpers/own-port.ts';
import type { HttpServer, StartOptions } from './cases.ts';
import { isMissing, runServer } from './run-server.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** The system's, which has the system's packages. */
const PYTHON = '/usr/bin/python3';

/** Python's own server does everything, because its handler writes what it likes. */
export const pythonServer: HttpServer = {
  name: "Python's http.server",
  cases: [
    'length',
    'chunks',
    'trailers',
    'to-close',
    'close',
    'old',
    'interim',
    'upload',
    'early',
    'cut',
    'none',
  ],
  isSkipped: () => isMissing(PYTHON, '-c', 'import http.server, ssl') && 'Python 3 is not installed',
  async start(t, { folder, tls }) {
    const port = await ownPort(t);
    const words = ['http_server.py', String(port), ...(tls === null ? [] : [tls.cert, tls.key])];
    await runServer(t, {
      file: PYTHON,
      words: ['-B', `${HERE}/${words[0]}`, ...words.slice(1)],
      folder,
      port,
    });
    return port;
  },
};

export const uvicorn: HttpServer = {
  name: 'uvicorn',
  cases: ['length', 'chunks', 'close', 'upload', 'cut'],
  isSkipped: () => isMissing(PYTHON, '-c', 'import uvicorn') && 'uvicorn is not installed',
  async start(t, { folder, tls }: StartOptions) {
    const port = await ownPort(t);
    const ssl = tls === null ? [] : ['--ssl-certfile', tls.cert, '--ssl-keyfile', tls.key];
    const words = ['-B', '-m', 'uvicorn', 'asgi_app:app', '--app-dir', HERE, '--port', String(port), ...ssl];
    await runServer(t, {
      file: PYTHON,
      words: [...words, '--log-level', 'critical', '--http', 'h11'],
      folder,
      port,
    });
    return port;
  },
};
