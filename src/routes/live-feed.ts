import type { ServerResponse } from 'node:http';
import type { Sessions } from '../auth/sessions.ts';
import { HttpError } from '../errors.ts';
import { withOwnHeaders } from '../http/headers.ts';
import { sendEmpty } from '../http/reply.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { KEEP_ALIVE } from '../protocols/event-stream.ts';
import type { Session } from '../store/entities.ts';
import type { Store } from '../store/store.ts';
import type { CallEntry } from '../usage/call-entry.ts';
import type { CallLog } from '../usage/request-log.ts';
import type { Context } from './context.ts';

/** Readers at the same time, of all sessions together. */
const READERS_LIMIT = 16;
/** A reader that has not taken this much is cut. */
const BEHIND_LIMIT_BYTES = 1024 * 1024;
/** Entries are sent together this often, and at once when `WAITING_LIMIT` of them wait. */
const TICK_MS = 250;
const WAITING_LIMIT = 250;
/** In ticks: how long a stream is silent before a keep-alive, and how often sessions are looked at, because they expire. */
const KEEP_ALIVE_TICKS = 60;
const SESSION_CHECK_TICKS = 60;
/** Without `x-accel-buffering`, nginx in front would hold the events back. */
const HEAD = ['content-type', 'text/event-stream', 'cache-control', 'no-store', 'x-accel-buffering', 'no'];

export interface LiveFeedOptions {
  readonly requestLog: CallLog;
  readonly store: Store;
  readonly lifecycle: Lifecycle;
  readonly sessions: Sessions;
  /** The JSON of an entry, in one line. */
  readonly render: (entry: CallEntry) => string;
}

interface Reader {
  readonly res: ServerResponse;
  readonly session: Session;
  readonly matches: (entry: CallEntry) => boolean;
  silentTicks: number;
}

/**
 * Sends each entry of the request log to its readers as a server-sent event, once, at the end of its request. A stream ends
 * with its session, with the drain of the server, and when its reader is too far behind.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #readers = new Set<Reader>();
  #waiting: CallEntry[] = [];
  #ticks = 0;
  /** Sessions or accounts have changed since the sessions of the readers were looked at. */
  #isStale = false;
  #isChecking = false;
  /** Ends the subscriptions; null: nobody reads. */
  #stop: (() => void) | null = null;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  /** Answers with the stream of the entries that match. @throws HttpError `server_overloaded`. */
  open(context: Context, matches: (entry: CallEntry) => boolean): void {
    const { req, res, headers, principal, signal } = context;
    if (principal.kind !== 'admin') throw new HttpError('forbidden', 'This address is for the role admin.');
    if (req.method === 'HEAD') {
      sendEmpty(context, 200, HEAD);
      return;
    }
    if (this.#readers.size >= READERS_LIMIT) throw tooManyReaders();
    const reader: Reader = { res, session: principal.session, matches, silentTicks: 0 };
    res.writeHead(200, withOwnHeaders(headers, HEAD));
    res.write(KEEP_ALIVE);
    this.#readers.add(reader);
    signal.addEventListener('abort', () => this.#end(reader));
    res.once('close', () => this.#end(reader));
    this.#stop ??= this.#start();
  }

  #start(): () => void {
    const { requestLog, store } = this.#options;
    const timer = setInterval(() => this.#tick(), TICK_MS).unref();
    const stopEntries = requestLog.onEntry((entry) => {
      this.#waiting.push(entry);
      if (this.#waiting.length === WAITING_LIMIT) setImmediate(() => this.#flush());
    });
    const stopChanges = store.onChange(() => {
      this.#isStale = true;
    });
    return () => {
      clearInterval(timer);
      stopEntries();
      stopChanges();
    };
  }

  #tick(): void {
    this.#ticks += 1;
    if (this.#options.lifecycle.phase === 'draining') {
      this.#deliver();
      for (const reader of this.#readers) this.#end(reader);
      return;
    }
    if (this.#ticks % SESSION_CHECK_TICKS === 0) this.#isStale = true;
    this.#flush();
    for (const reader of this.#readers) this.#keepAlive(reader);
  }

  /** Sends what waits, but nothing to a reader whose session may have ended. */
  #flush(): void {
    if (this.#isChecking) return;
    if (!this.#isStale) {
      this.#deliver();
      return;
    }
    this.#isChecking = true;
    void this.#endClosed().then(() => {
      this.#isChecking = false;
      this.#flush();
    });
  }

  /** Sends what waits; each entry is rendered once for all readers. */
  #deliver(): void {
    const entries = this.#waiting;
    if (entries.length === 0) return;
    this.#waiting = [];
    const records = new Map<CallEntry, string>();
    for (const reader of this.#readers) {
      let text = '';
      for (const entry of entries) {
        if (!reader.matches(entry)) continue;
        const record = records.get(entry) ?? `event: request\ndata: ${this.#options.render(entry)}\n\n`;
        records.set(entry, record);
        text += record;
      }
      if (text !== '') this.#send(reader, text);
    }
  }

  #send(reader: Reader, text: string | Buffer): void {
    // What one write adds says nothing of the reader yet: many requests may have ended at once.
    if (reader.res.writableLength > BEHIND_LIMIT_BYTES) {
      reader.res.destroy();
      this.#end(reader);
      return;
    }
    reader.silentTicks = 0;
    reader.res.write(text);
  }

  #keepAlive(reader: Reader): void {
    reader.silentTicks += 1;
    if (reader.silentTicks >= KEEP_ALIVE_TICKS) this.#send(reader, KEEP_ALIVE);
  }

  /** Ends the streams whose sessions have ended. */
  async #endClosed(): Promise<void> {
    this.#isStale = false;
    for (const reader of [...this.#readers]) {
      const isOpen = await this.#options.sessions.isOpen(reader.session).catch(() => false);
      if (!isOpen) this.#end(reader);
    }
  }

  #end(reader: Reader): void {
    if (!this.#readers.delete(reader)) return;
    if (!reader.res.destroyed) reader.res.end();
    if (this.#readers.size > 0) return;
    this.#stop?.();
    this.#stop = null;
    this.#waiting = [];
  }
}

function tooManyReaders(): HttpError {
  const message = `The live requests have ${READERS_LIMIT} readers already. Close one of their pages first.`;
  return new HttpError('server_overloaded', message, { headers: { 'retry-after': '10' } });
}
