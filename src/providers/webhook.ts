import type { CancelSignal } from '../cancellation.ts';
import { HttpError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';
import { newProvider } from '../store/new-records.ts';
import { requireBaseUrl } from './base-url.ts';
import { compileProvider } from './compile.ts';
import type { ConnectionOptions } from './connection.ts';
import { createUpstreams } from './upstream.ts';

/** A message to a webhook. */
export interface WebhookPost {
  readonly url: string;
  /** Names in lower case and values by turns. */
  readonly headers: HeaderList;
  readonly body: Buffer;
}

/**
 * Sends a message and resolves to the status of the answer, whose body is not read. Redirects are not followed: they are a
 * failure. @throws HttpError as `Upstreams.send`, with a message for the owner; the signal's reason.
 */
export type PostWebhook = (post: WebhookPost, signal: CancelSignal) => Promise<number>;

const TIMEOUT_MS = 10_000;
const CONSUMER = 'alerts';
/** Stands for the webhook where a provider has its id. */
const WEBHOOK_ID = 'alert-webhook';

/** Creates a sender to webhooks under the same address rules as providers. Each message has its own connection. */
export function createWebhookSender(options: ConnectionOptions): PostWebhook {
  const upstreams = createUpstreams();
  const timeouts = {
    connectTimeoutMs: Math.min(options.timeouts.connectTimeoutMs, TIMEOUT_MS),
    headersTimeoutMs: TIMEOUT_MS,
    idleTimeoutMs: TIMEOUT_MS,
  };
  return async ({ url, headers, body }, signal) => {
    try {
      const record = newProvider({ id: WEBHOOK_ID, name: WEBHOOK_ID, baseUrl: url }, '');
      const { pathname, search } = requireBaseUrl(record);
      const provider = compileProvider(record, { ...options, timeouts });
      const request = {
        provider,
        method: 'POST',
        path: `${pathname}${search}`,
        headers: [...provider.headers, ...headers],
        body: { kind: 'pieces', pieces: [body] },
      } as const;
      const response = await upstreams.send(request, { signal, consumer: CONSUMER });
      response.body.destroy();
      return response.status;
    } catch (error) {
      throw error instanceof HttpError ? forOwner(error) : error;
    }
  };
}

/** The same error in words about a webhook. */
function forOwner(error: HttpError): HttpError {
  return new HttpError('upstream_unreachable', messageOf(error), { cause: error.cause });
}

function messageOf({ message, error: { code } }: HttpError): string {
  if (code === 'upstream_timeout') return 'The webhook did not answer in time.';
  if (/redirect/.test(message)) return 'The webhook answered with a redirect, which is not followed.';
  if (code === 'upstream_invalid_response') return 'The webhook sent a broken answer.';
  if (/not allowed/.test(message))
    return 'The address of the webhook is not allowed: it leads to a link-local, metadata or private network.';
  const [reason = ''] = /\([A-Z][A-Z\d_]+\)/.exec(message) ?? [];
  return `The webhook cannot be reached${reason === '' ? '' : ` ${reason}`}.`;
}
