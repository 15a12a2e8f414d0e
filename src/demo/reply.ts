import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { HttpError } from '../errors.ts';
import type { DemoAnswer } from './call.ts';

/** Sends an answer. A stream stops being made as soon as the client is gone; `pauseMs` lies between its pieces. */
export async function sendAnswer(res: ServerResponse, answer: DemoAnswer, pauseMs: number): Promise<void> {
  switch (answer.kind) {
    case 'json':
      return sendJson(res, 200, answer.value, answer.headers);
    case 'bytes':
      res.writeHead(200, { 'content-type': answer.contentType, 'content-length': answer.bytes.length });
      res.end(answer.bytes);
      return;
    case 'stream':
      res.writeHead(200, { 'content-type': answer.contentType, 'cache-control': 'no-cache' });
      res.flushHeaders();
      return sendPieces(res, answer.pieces, answer.isPaced ? pauseMs : 0);
  }
}

/** Sends an error in OpenAI's envelope; what is not an HttpError becomes a 500 that tells nothing. */
export function sendError(res: ServerResponse, thrown: unknown): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const error =
    thrown instanceof HttpError ? thrown : new HttpError('internal_error', 'The demo provider has failed.');
  sendJson(
    res,
    error.status,
    { error: error.error },
    Object.fromEntries(
      error.headers.flatMap((name, index, list) => (index % 2 === 0 ? [[name, list[index + 1] ?? '']] : [])),
    ),
  );
}

/** Sends a JSON value with its length. */
export function sendJson(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  res.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': body.length });
  res.end(body);
}

async function sendPieces(
  res: ServerResponse,
  pieces: Iterable<string | Buffer>,
  pauseMs: number,
): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const { signal } = gone;
  try {
    for (const piece of pieces) {
      if (res.destroyed) return;
      if (!res.write(piece)) await once(res, 'drain', { signal });
      // Without a pause the loop still lets others have their turn.
      await (pauseMs > 0 ? pause(pauseMs, undefined, { signal }) : nextTurn(undefined, { signal }));
    }
    res.end();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
