import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPort } from '../../helpers/own-port.ts';
import type { HttpServer } from './cases.ts';
import { isMissing, runServer } from './run-server.ts';

const SOURCE = fileURLToPath(new URL('main.go', import.meta.url));

/** Its compiler is large and slow, so it is for the long run on a machine that has it. */
export const go: HttpServer = {
  name: "Go's net/http",
  cases: ['length', 'chunks', 'trailers', 'to-close', 'close', 'interim', 'upload', 'early', 'cut', 'none'],
  isSkipped() {
    if (process.env['IPIN_LONG'] !== '1') return 'only in the long run';
    return isMissing('go', 'version') && 'Go is not installed';
  },
  async start(t, { folder, tls }) {
    const port = await ownPort(t);
    const file = join(folder, 'server');
    execFileSync('go', ['build', '-o', file, SOURCE], { stdio: 'ignore' });
    await runServer(t, {
      file,
      words: [String(port), ...(tls === null ? [] : [tls.cert, tls.key])],
      folder,
      port,
    });
    return port;
  },
};
