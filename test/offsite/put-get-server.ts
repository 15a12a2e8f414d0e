import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { ownPort } from '../helpers/own-port.ts';

export type Behaviour = 'strong' | 'no-etag-on-put' | 'weak' | 'ignores-conditions' | 'no-etag' | 'moody';

export interface PutGetServer {
  readonly url: string;
  /** null: nothing is there. */
  body: Buffer | null;
  /** `METHOD CONDITION STATUS` of every request, oldest first. */
  readonly log: string[];
  behaviour: Behaviour;
  token: string | null;
  /** Answers instead of the server where it returns true; the body was read. */
  intercept: ((req: IncomingMessage, res: ServerResponse, body: Buffer) => boolean) | null;
  close(): Promise<void>;
  /** Listens again on the same port. */
  open(): Promise<void>;
}

/**
 * One object behind PUT and GET. `moody` gives another entity tag at every GET, and honours only the last one. It ends
 * with the test.
 */
export async function startPutGet(t: TestContext, behaviour: Behaviour = 'strong'): Promise<PutGetServer> {
  let moods = 0;
  const etagOf = (body: Buffer): string => {
    const digest = createHash('sha256').update(body).digest('hex').slice(0, 16);
    return served.behaviour === 'moody' ? `"${digest}-${moods}"` : `"${digest}"`;
  };
  const etagHeader = (body: Buffer, method: string): Record<string, string> => {
    if (served.behaviour === 'no-etag' || (served.behaviour === 'no-etag-on-put' && method === 'PUT'))
      return {};
    if (method === 'GET') moods += 1;
    return { etag: `${served.behaviour === 'weak' ? 'W/' : ''}${etagOf(body)}` };
  };
  const isRefused = (req: IncomingMessage): boolean => {
    if (served.behaviour === 'ignores-conditions' || served.behaviour === 'no-etag') return false;
    if (req.headers['if-none-match'] === '*' && served.body !== null) return true;
    const ifMatch = req.headers['if-match'];
    if (ifMatch === undefined) return false;
    if (served.behaviour === 'moody') moods += 1;
    return served.body === null || ifMatch !== etagOf(served.body);
  };
  const answer = (req: IncomingMessage, res: ServerResponse, body: Buffer): void => {
    const condition = req.headers['if-match']
      ? ' if-match'
      : req.headers['if-none-match']
        ? ' if-none-match'
        : '';
    res.on('finish', () => served.log.push(`${req.method}${condition} ${res.statusCode}`));
    if (served.intercept?.(req, res, body) === true) return;
    if (served.token !== null && req.headers.authorization !== `Bearer ${served.token}`) {
      res.writeHead(403).end();
    } else if (req.method === 'PUT') {
      if (isRefused(req)) {
        res.writeHead(412).end();
        return;
      }
      served.body = body;
      res.writeHead(204, etagHeader(body, 'PUT')).end();
    } else if (served.body === null) {
      res.writeHead(404).end('nothing here');
    } else {
      res.writeHead(200, etagHeader(served.body, 'GET')).end(served.body);
    }
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => answer(req, res, Buffer.concat(chunks)));
  });
  // Nobody else may come to listen there between `close` and `open`.
  const port = await ownPort(t);
  const open = async (): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await open();
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  const served: PutGetServer = {
    url: `http://127.0.0.1:${port}/state`,
    body: null,
    log: [],
    behaviour,
    token: null,
    intercept: null,
    close,
    open,
  };
  t.after(close);
  return served;
}
