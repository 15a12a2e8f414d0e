import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { HttpError } from '../errors.ts';
import type { DemoAnswer } from './call.ts';

/** Sends an answer; a stream pauses for `pauseMs` after each record and ends as soon as the client is gone. */
export async function sendAnswer(res: ServerResponse, answer: DemoAnswer, pauseMs: number): Promise<void> {
  const { contentType, body } = answer;
  if (Buffer.isBuffer(body)) {
    res.writeHead(200, { 'content-type': contentType, 'content-length': body.length }).end(body);
    return;
  }
  res.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache' });
  res.flushHeaders();
  await sendRecords(res, body, pauseMs);
}

/** Sends an error in OpenAI's envelope; anything but an HttpError becomes a 500 that reveals nothing. */
export function sendError(res: ServerResponse, thrown: unknown): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const { status, error, headers } =
    thrown instanceof HttpError ? thrown : new HttpError('internal_error', 'The demo provider has failed.');
  const body = Buffer.from(JSON.stringify({ error }));
  const own = ['content-type', 'application/json', 'content-length', String(body.length)];
  res.writeHead(status, [...headers, ...own]).end(body);
}

async function sendRecords(
  res: ServerResponse,
  records: Iterable<string | Buffer>,
  pauseMs: number,
): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const { signal } = gone;
  try {
    for (const record of records) {
      if (res.destroyed) return;
      if (!res.write(record)) await once(res, 'drain', { signal });
      // Even without a pause, other requests get their turn.
      await (pauseMs > 0 ? pause(pauseMs, undefined, { signal }) : nextTurn(undefined, { signal }));
    }
    res.end();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
