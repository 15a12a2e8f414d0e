import type { ClientRequest } from 'node:http';
import { Transform } from 'node:stream';
import type { UpstreamBody, UpstreamRequest } from './adapter.ts';

/** The headers as a flat list, host first, which node:http writes unchanged. */
export function headerList(request: UpstreamRequest, hostHeader: string): string[] {
  const list = ['host', hostHeader, ...request.headers];
  const { body } = request;
  if (body.kind === 'pieces') list.push('content-length', String(lengthOf(body.pieces)));
  else if (body.kind === 'stream') list.push('transfer-encoding', 'chunked');
  return list;
}

/** Up to this size, the pieces are joined and sent in one write. */
const JOIN_BYTES = 65_536;

export interface BodyEvents {
  /** The last bytes were given to node:http. Of a large body, all bytes before them have left this process. */
  onHanded(): void;
  /** The source of the body failed. */
  onSourceError(error: unknown): void;
}

/** Sends a body and ends the request. A stream is destroyed when the request is over. */
export function sendBody(outgoing: ClientRequest, body: UpstreamBody, events: BodyEvents): void {
  if (body.kind === 'stream') {
    // A client that breaks off, or an invalid form, must never look like a finished request to the upstream.
    body.stream.on('error', (error) => events.onSourceError(error));
    outgoing.on('close', () => body.stream.destroy());
    const paced = onePerTurn();
    paced.on('end', () => events.onHanded());
    body.stream.pipe(paced).pipe(outgoing);
    return;
  }
  if (body.kind === 'pieces') {
    const lengthBytes = lengthOf(body.pieces);
    if (lengthBytes > JOIN_BYTES) {
      sendLarge(outgoing, body.pieces, { lengthBytes, events });
      return;
    }
    outgoing.end(body.pieces.length === 1 ? body.pieces[0] : Buffer.concat(body.pieces));
  } else outgoing.end();
  events.onHanded();
}

/** So few that the operating system takes them at once when it has taken everything before them. */
const TAIL_BYTES = 1_024;

/** Sends the last bytes only when the operating system has taken all others: until then, the request is surely not whole. */
function sendLarge(
  outgoing: ClientRequest,
  pieces: readonly Buffer[],
  { lengthBytes, events }: { readonly lengthBytes: number; readonly events: BodyEvents },
): void {
  const tail: Buffer[] = [];
  const sendTail = (error: Error | null | undefined): void => {
    if (error || outgoing.destroyed) return;
    events.onHanded();
    outgoing.end(Buffer.concat(tail));
  };
  let untilTail = lengthBytes - TAIL_BYTES;
  for (const piece of pieces) {
    const isLastBeforeTail = untilTail > 0 && piece.length >= untilTail;
    if (isLastBeforeTail) outgoing.write(piece.subarray(0, untilTail), sendTail);
    else if (untilTail > 0) outgoing.write(piece);
    if (piece.length > untilTail) tail.push(piece.subarray(untilTail));
    untilTail = Math.max(0, untilTail - piece.length);
  }
}

function lengthOf(pieces: readonly Buffer[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}

/**
 * Passes one piece per turn of the event loop, so that an early response is read between writes. If the provider has responded
 * and closed, the next write fails, and an unread response would be lost with the connection.
 */
function onePerTurn(): Transform {
  return new Transform({
    transform: (piece, _encoding, done) => void setImmediate(done, null, piece),
  });
}
