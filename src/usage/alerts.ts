import { Cancellation, type CancelSignal, wait } from '../cancellation.ts';
import type { HeaderList } from '../http/headers.ts';
import type { Logger } from '../logger.ts';
import type { AlertWebhook } from '../store/entities.ts';
import { type Alert, type AlertType, alertBody, alertHeaders } from './alert-message.ts';

export interface AlertsOptions {
  /** Where alerts go now; null: nowhere. */
  readonly webhook: () => AlertWebhook | null;
  /** Sends one message; resolves to the status of the answer. @throws an Error whose message is for the owner. */
  readonly post: (
    message: { readonly url: string; readonly headers: HeaderList; readonly body: Buffer },
    signal: CancelSignal,
  ) => Promise<number>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
  readonly logger: Logger;
  /** The waits before the second and the third try, if not `RETRY_WAITS_MS`. */
  readonly retryWaitsMs?: readonly number[];
}

/** How an alert was delivered. */
export interface Delivery {
  readonly ok: boolean;
  /** null: there was no answer. */
  readonly status: number | null;
  readonly ms: number;
  readonly message: string;
}

/** How the last alert was delivered, for the panel. Kept in memory only. */
export interface LastDelivery extends Omit<Delivery, 'ms'> {
  /** ISO 8601. */
  readonly at: string;
}

/** Takes alerts. */
export interface AlertOutlet {
  /** True if there is somebody to tell. */
  readonly isOn: boolean;
  /** Queues an alert and returns at once. False if there is nobody to tell, or too many alerts wait. */
  send(type: AlertType, data: Alert['data']): boolean;
}

const RETRY_WAITS_MS = [1_000, 10_000];
/** How many alerts may wait; over it new ones are dropped. */
const QUEUE_LIMIT = 100;

/** Sends alerts to the webhook of the settings, one after another, each in up to three tries. */
export class Alerts implements AlertOutlet {
  readonly #options: AlertsOptions;
  readonly #queue: Alert[] = [];
  readonly #ending = new Cancellation();
  /** The running delivery of the queue; null: the queue is empty. */
  #sending: Promise<void> | null = null;
  #last: LastDelivery | null = null;
  /** The address that `#last` is about. */
  #lastUrl: string | null = null;

  constructor(options: AlertsOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#options.webhook() !== null;
  }

  send(type: AlertType, data: Alert['data']): boolean {
    if (!this.isOn || this.#ending.aborted) return false;
    if (this.#queue.length >= QUEUE_LIMIT) {
      this.#options.logger.warn('alert.dropped', { type, message: `${QUEUE_LIMIT} alerts wait already.` });
      return false;
    }
    this.#queue.push(this.#newAlert(type, data));
    this.#sending ??= this.#drain();
    return true;
  }

  /** Sends the alert `test`, past the queue and once. Ends with the signal as well. */
  async test(signal: CancelSignal): Promise<Delivery> {
    const stop = new Cancellation();
    const abort = (): void => stop.abort();
    for (const one of [signal, this.#ending]) one.addEventListener('abort', abort);
    try {
      if (signal.aborted || this.#ending.aborted) abort();
      return await this.#deliver(this.#newAlert('test', { message: 'This is a test.' }), stop);
    } finally {
      for (const one of [signal, this.#ending]) one.removeEventListener('abort', abort);
    }
  }

  /** How the last alert to the present webhook was delivered; null: none was sent since the start. */
  lastDelivery(): LastDelivery | null {
    return this.#options.webhook()?.url === this.#lastUrl ? this.#last : null;
  }

  /** Drops what waits, and ends what runs. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#queue.length = 0;
    this.#ending.abort();
    await this.#sending;
  }

  #newAlert(type: AlertType, data: Alert['data']): Alert {
    const id = `msg_${this.#options.randomBytes(16).toString('base64url')}`;
    return { id, type, at: new Date(this.#options.now()).toISOString(), data };
  }

  async #drain(): Promise<void> {
    for (let alert = this.#queue.shift(); alert !== undefined; alert = this.#queue.shift()) {
      await this.#deliverInTries(alert).catch(() => {});
    }
    this.#sending = null;
  }

  /** @throws the reason of the end. */
  async #deliverInTries(alert: Alert): Promise<void> {
    const { retryWaitsMs = RETRY_WAITS_MS, logger } = this.#options;
    for (const waitMs of [0, ...retryWaitsMs]) {
      if (waitMs > 0) await wait(waitMs, this.#ending);
      const { ok, status, message } = await this.#deliver(alert, this.#ending);
      if (this.#ending.aborted) return;
      const fields = { type: alert.type, id: alert.id, status };
      if (ok) return logger.debug('alert.sent', fields);
      logger.warn('alert.failed', { ...fields, message });
    }
  }

  async #deliver(alert: Alert, signal: CancelSignal): Promise<Delivery> {
    const { webhook, now } = this.#options;
    const target = webhook();
    const startedAtMs = now();
    const result = await this.#post(alert, target, signal);
    const at = new Date(now()).toISOString();
    if (target !== null) {
      this.#last = { at, ...result };
      this.#lastUrl = target.url;
    }
    return { ...result, ms: Math.max(0, now() - startedAtMs) };
  }

  async #post(
    alert: Alert,
    target: AlertWebhook | null,
    signal: CancelSignal,
  ): Promise<Omit<Delivery, 'ms'>> {
    if (target === null) return failed('No webhook is set.');
    const { url, secret } = target;
    if (secret === null) return failed('The secret of the webhook cannot be read. Enter it again.');
    const body = alertBody(alert);
    try {
      const headers = alertHeaders(alert, { body, secret, nowMs: this.#options.now() });
      const status = await this.#options.post({ url, headers, body }, signal);
      const ok = status >= 200 && status < 300;
      return {
        ok,
        status,
        message: ok ? 'The webhook took the alert.' : `The webhook answered with status ${status}.`,
      };
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    }
  }
}

function failed(message: string): Omit<Delivery, 'ms'> {
  return { ok: false, status: null, message };
}
