import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import type { BodyTransform } from './body-transform.ts';
import type { HeaderList } from './headers.ts';
import { type Exchange, WRITE_STALL_MS, watchTail } from './reply.ts';

export interface PumpOptions {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Readable;
  /** With one, the headers are sent although no byte of the body is there yet: clients of event streams time out on them. */
  readonly transform: BodyTransform | null;
}

export type PumpEnd = 'sent' | 'client-gone' | 'broken';

const IDLE_COMMENT_MS = 15_000;

/**
 * Streams an answer with back-pressure. Resolves, never rejects: `sent`, `client-gone`, or `broken` when the upstream
 * broke off midway. The client's going away destroys the body, which aborts the upstream.
 */
export function pump(exchange: Exchange, options: PumpOptions): Promise<PumpEnd> {
  return new Promise((resolve) => {
    exchange.res.writeHead(options.status, exchange.headers.concat(options.headers));
    new Pump(exchange.res, options, resolve).start();
  });
}

class Pump {
  readonly #res: ServerResponse;
  readonly #body: Readable;
  readonly #transform: BodyTransform | null;
  readonly #resolve: (end: PumpEnd) => void;
  #arrived: Buffer[] = [];
  #isSettled = false;
  #wroteSinceIdle = false;
  #stall: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;

  constructor(res: ServerResponse, options: PumpOptions, resolve: (end: PumpEnd) => void) {
    this.#res = res;
    this.#body = options.body;
    this.#transform = options.transform;
    this.#resolve = resolve;
  }

  start(): void {
    const res = this.#res;
    const body = this.#body;
    if (this.#transform !== null) this.#idle = setInterval(this.#onIdle, IDLE_COMMENT_MS);
    res.on('drain', this.#onDrain).on('close', this.#onClose);
    body.on('error', (error) => this.#onFail(error)).on('end', this.#onEnd);
    body.on('data', this.#onData);
    // Whoever looked at its beginning has paused it.
    if (body.isPaused()) body.resume();
    if (body.destroyed && !body.readableEnded) this.#onFail(body.errored);
    else if (this.#transform !== null) setImmediate(() => res.flushHeaders());
  }

  /** What one turn of the event loop brought, often hundreds of chunks, goes on together at its end; see `sendBytes`. */
  readonly #onData = (chunk: Buffer): void => {
    this.#arrived.push(chunk);
    if (this.#arrived.length === 1) setImmediate(this.#passOn);
  };

  readonly #passOn = (): void => {
    const [first] = this.#arrived;
    if (first === undefined) return;
    const bytes = this.#arrived.length === 1 ? first : Buffer.concat(this.#arrived);
    this.#arrived = [];
    if (!this.#isSettled) this.#send(bytes);
  };

  #send(bytes: Buffer): void {
    const transform = this.#transform;
    try {
      const changed = transform === null ? bytes : transform.push(bytes);
      if (transform?.hasFailed !== true) {
        this.#write(changed);
        return;
      }
      this.#finish('broken', changed);
    } catch (error) {
      this.#onFail(error);
    }
    this.#body.destroy();
  }

  #write(bytes: Buffer | null): void {
    if (bytes === null || bytes.length === 0) return;
    this.#wroteSinceIdle = true;
    if (this.#res.write(bytes) || this.#stall !== null) return;
    this.#body.pause();
    this.#stall = setTimeout(this.#onStall, WRITE_STALL_MS);
  }

  readonly #onIdle = (): void => {
    if (!this.#wroteSinceIdle && this.#stall === null) this.#write(this.#transform?.idle() ?? null);
    this.#wroteSinceIdle = false;
  };

  readonly #onDrain = (): void => {
    if (this.#stall !== null) clearTimeout(this.#stall);
    this.#stall = null;
    if (!this.#isSettled) this.#body.resume();
  };

  readonly #onStall = (): void => {
    this.#res.destroy();
    this.#onClose();
  };

  readonly #onClose = (): void => {
    if (!this.#isSettled) this.#body.destroy();
    this.#settle('client-gone');
  };

  readonly #onEnd = (): void => {
    this.#passOn();
    if (this.#isSettled) return;
    const last = this.#transform?.end() ?? null;
    this.#finish(this.#transform?.hasFailed === true ? 'broken' : 'sent', last);
  };

  /** An event stream ends with its error and in good order; any other body is cut, so that the client notices. */
  #onFail(error: unknown): void {
    this.#passOn();
    if (this.#isSettled) return;
    const last = this.#transform?.fail(asBroken(error)) ?? null;
    if (last !== null) {
      this.#finish('broken', last);
      return;
    }
    // After what has been written, so that the client sees how far it came.
    this.#res.socket?.destroySoon();
    watchTail(this.#res);
    this.#settle('broken');
  }

  #finish(end: PumpEnd, last: Buffer | null): void {
    const { socket } = this.#res;
    const close = (): void => {
      if (end === 'broken') socket?.destroySoon();
    };
    this.#res.end(last ?? undefined, close);
    watchTail(this.#res);
    this.#settle(end);
  }

  #settle(end: PumpEnd): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    if (this.#idle !== null) clearInterval(this.#idle);
    if (this.#stall !== null) clearTimeout(this.#stall);
    this.#resolve(end);
  }
}

function asBroken(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  return new HttpError('upstream_invalid_response', 'The provider broke off its answer.', { cause: error });
}
