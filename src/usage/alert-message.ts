import { createHmac } from 'node:crypto';
import type { HeaderList } from '../http/headers.ts';

/** What an alert can tell. */
export type AlertType =
  | 'budget.warning'
  | 'budget.spent'
  | 'key.refused'
  | 'provider.failing'
  | 'provider.recovered'
  | 'storage.failing'
  | 'storage.recovered'
  | 'snapshot.failing'
  | 'prices.stale'
  | 'test';

/** An alert as it is sent. */
export interface Alert {
  /** The same for every try, so that a receiver can drop repetitions. */
  readonly id: string;
  readonly type: AlertType;
  /** ISO 8601. */
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const PREFIX = 'whsec_';
const BASE64 = /^(?:[A-Za-z\d+/]{4})+(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

/** The body of an alert. */
export function alertBody({ type, at, data }: Alert): Buffer {
  return Buffer.from(JSON.stringify({ type, at, data }));
}

/**
 * The headers of an alert by the Standard Webhooks specification 1.0: HMAC-SHA256 over id, time and body.
 * @param secret its characters are the key; after `whsec_` the bytes that its base64 stands for, as the specification has it
 */
export function alertHeaders(
  { id }: Alert,
  { body, secret, nowMs }: { readonly body: Buffer; readonly secret: string; readonly nowMs: number },
): HeaderList {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signature = createHmac('sha256', keyOf(secret))
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest('base64');
  return [
    'content-type',
    'application/json',
    'webhook-id',
    id,
    'webhook-timestamp',
    timestamp,
    'webhook-signature',
    `v1,${signature}`,
  ];
}

function keyOf(secret: string): Buffer {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '';
  return BASE64.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.from(secret);
}
