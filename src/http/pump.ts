import type { ServerResponse } from 'node:http';
import { HttpError } from '../errors.ts';
import { countPassed } from '../passed-buffers.ts';
import { hasBody } from './body.ts';
import type { BodyReader, BodySource } from './body-source.ts';
import type { AnswerEnd, BodyTransform } from './body-transform.ts';
import { type HeaderList, withOwnHeaders } from './headers.ts';
import type { Exchange } from './reply.ts';

export interface PumpOptions {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: BodySource;
  /** With a transform, headers are sent before the first byte of the body: clients of event streams time out without them. */
  readonly transform: BodyTransform | null;
  /** In an answer with a transform: after so long a silence, or up to a quarter longer, a keep-alive is sent; 0: never. */
  readonly keepAliveMs: number;
  /** Called with the end of the answer, before its connection is closed. */
  readonly onEnd: (end: AnswerEnd) => void;
}

/** So often in the time of a keep-alive an answer is looked at. It costs less than to restart a timer with every write. */
const LOOKS = 4;

/**
 * Streams an answer with back-pressure and owns its body: whatever ends the answer ends the body, and so the upstream
 * request. The headers may have been sent before. `WriteWatch` ends the connection of a client that reads nothing.
 * @throws only what node:http throws for a head that it cannot send.
 */
export function pump(exchange: Exchange, options: PumpOptions): Promise<void> {
  const { req, res } = exchange;
  return new Promise((resolve, reject) => {
    try {
      // The rest of a request that is still arriving is not read: the connection cannot be used again.
      if (hasBody(req) && !req.complete) res.shouldKeepAlive = false;
      if (!res.headersSent) res.writeHead(options.status, withOwnHeaders(exchange.headers, options.headers));
      new Pump(res, options, resolve).start();
    } catch (error) {
      options.body.destroy();
      reject(error);
    }
  });
}

/** Pieces that come within this time leave together: TLS gives each of its records as a piece of its own. */
const TOGETHER_MS = 1;

class Pump implements BodyReader {
  readonly #res: ServerResponse;
  readonly #body: BodySource;
  readonly #transform: BodyTransform | null;
  readonly #onEnd: (end: AnswerEnd) => void;
  readonly #resolve: () => void;
  #arrived: Buffer[] = [];
  /** When the last piece came. */
  #lastMs = 0;
  readonly #keepAliveMs: number;
  #isSettled = false;
  #isFull = false;
  #isHeadSent = false;
  /** The answer has chunks (RFC 9112 section 7.1). They are made here: node:http makes four writes of each. */
  readonly #isChunked: boolean;
  /** Looks in a row that found nothing written; -1: something was written since the last look. */
  #silentLooks = 0;
  #looking: NodeJS.Timeout | null = null;

  constructor(res: ServerResponse, options: PumpOptions, resolve: () => void) {
    this.#res = res;
    this.#body = options.body;
    this.#transform = options.transform;
    this.#keepAliveMs = options.keepAliveMs;
    this.#onEnd = options.onEnd;
    this.#resolve = resolve;
    this.#isChunked = res.chunkedEncoding;
    res.chunkedEncoding = false;
  }

  start(): void {
    const res = this.#res;
    if (this.#transform !== null && this.#keepAliveMs > 0)
      this.#looking = setInterval(this.#look, this.#keepAliveMs / LOOKS);
    res.on('drain', this.#onDrain).on('close', this.#onClose);
    if (res.destroyed) {
      this.#onClose();
      return;
    }
    this.#body.read(this);
    if (this.#transform !== null) setImmediate(this.#flushHeaders);
  }

  /** The first bytes of a body that has begun take the headers along. */
  readonly #flushHeaders = (): void => {
    if (this.#isHeadSent || this.#isSettled || this.#arrived.length > 0) return;
    this.#isHeadSent = true;
    this.#res.flushHeaders();
  };

  /**
   * A piece that comes alone goes on at once. What comes close together leaves in one batch per turn (see `sendBytes`), and so do
   * the first pieces, with the head.
   */
  onData(chunk: Buffer): void {
    const lastMs = this.#lastMs;
    this.#lastMs = performance.now();
    if (this.#isHeadSent && this.#arrived.length === 0 && this.#lastMs - lastMs > TOGETHER_MS) {
      this.#send(chunk);
      return;
    }
    this.#arrived.push(chunk);
    if (this.#arrived.length === 1) setImmediate(this.#passOn);
  }

  readonly #passOn = (): void => {
    const [first] = this.#arrived;
    if (first === undefined) return;
    const bytes = this.#arrived.length === 1 ? first : Buffer.concat(this.#arrived);
    this.#arrived = [];
    if (!this.#isSettled) this.#send(bytes);
  };

  #send(bytes: Buffer): void {
    const transform = this.#transform;
    if (transform === null) {
      this.#write(bytes);
      return;
    }
    try {
      const changed = transform.push(bytes);
      if (transform.error === null) this.#write(changed);
      else this.#finish(changed);
    } catch (error) {
      this.onError(error);
    }
  }

  #write(body: Buffer | string | null): void {
    if (body === null || body.length === 0) {
      this.#flushHeaders();
      return;
    }
    // With text, node:http would write the headers as UTF-8 too.
    const sent = this.#isHeadSent || typeof body !== 'string' ? body : Buffer.from(body);
    this.#isHeadSent = true;
    this.#silentLooks = -1;
    if (this.#res.write(this.#isChunked ? chunkOf(sent) : sent) || this.#isFull) return;
    this.#body.pause();
    this.#isFull = true;
  }

  readonly #look = (): void => {
    this.#silentLooks += 1;
    if (this.#silentLooks < LOOKS || this.#isFull) return;
    const keepAlive = this.#transform?.idle() ?? null;
    if (keepAlive === null) return;
    this.#write(keepAlive);
    this.#silentLooks = 0;
  };

  readonly #onDrain = (): void => {
    this.#isFull = false;
    if (!this.#isSettled) this.#body.resume();
  };

  readonly #onClose = (): void => {
    const isTaken = this.#transform?.isWhole === true && this.#arrived.length === 0 && !this.#isFull;
    this.#settle({ outcome: isTaken ? 'ok' : 'cancelled', error: null, isTaken });
  };

  onEnd(): void {
    this.#passOn();
    if (!this.#isSettled) this.#finish(this.#transform?.end() ?? null);
  }

  /** An event stream ends properly, with the error as its last event; any other body is cut, so that the client notices. */
  onError(cause: unknown): void {
    // The client has left, and so the provider was.
    if (this.#res.destroyed) {
      this.#onClose();
      return;
    }
    this.#passOn();
    if (this.#isSettled) return;
    const error = asBroken(cause);
    const last = this.#transform?.fail(error) ?? null;
    if (last !== null) {
      this.#finish(last);
      return;
    }
    this.#settle(endedBy(error));
    // After the bytes written so far: the client may still use them.
    this.#res.socket?.destroySoon();
  }

  /** Ends the answer properly; its connection stays open. */
  #finish(body: Buffer | string | null): void {
    this.#settle(endedBy(this.#transform?.error ?? null));
    const last = typeof body === 'string' ? Buffer.from(body) : body;
    if (this.#isChunked) this.#res.end(last === null || last.length === 0 ? LAST_CHUNK : lastChunksOf(last));
    else this.#res.end(last ?? undefined);
  }

  #settle(end: AnswerEnd): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    if (this.#looking !== null) clearInterval(this.#looking);
    this.#body.destroy();
    this.#onEnd(end);
    this.#resolve();
  }
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const LINE_ENDS_BYTES = 4;
const CR = 0x0d;
const LF = 0x0a;

function chunkOf(body: Buffer | string): Buffer | string {
  return typeof body === 'string' ? chunkOfText(body) : chunkOfBytes(body);
}

/** A short text is written faster than bytes are made of it. */
function chunkOfText(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function chunkOfBytes(bytes: Buffer): Buffer {
  countPassed(bytes.length);
  const size = bytes.length.toString(16);
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + LINE_ENDS_BYTES);
  for (let index = 0; index < size.length; index++) chunk[index] = size.charCodeAt(index);
  const at = endLine(chunk, size.length);
  chunk.set(bytes, at);
  endLine(chunk, at + bytes.length);
  return chunk;
}

/** Returns the index behind the line end. */
function endLine(chunk: Buffer, at: number): number {
  chunk[at] = CR;
  chunk[at + 1] = LF;
  return at + 2;
}

function lastChunksOf(bytes: Buffer): Buffer {
  return Buffer.concat([chunkOfBytes(bytes), LAST_CHUNK]);
}

function asBroken(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  return new HttpError('upstream_invalid_response', 'The provider broke off its response.', { cause: error });
}

/** How an answer that this error ended has ended. Code `draining`: this server cut it. All other errors come from the provider. */
export function endedBy(error: HttpError | null): AnswerEnd {
  if (error === null) return { outcome: 'ok', error };
  return { outcome: error.error.code === 'draining' ? 'cut' : 'broken', error };
}
