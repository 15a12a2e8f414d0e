import { sendBytes } from '../http/reply.ts';
import type { Registry } from '../metrics/registry.ts';
import type { Handler } from './context.ts';

/** The metrics in the Prometheus text format 0.0.4. */
export function metrics(registry: Registry): Handler {
  return (context) => {
    const body = Buffer.from(registry.expose());
    sendBytes(context, 200, body, [
      'content-type',
      'text/plain; version=0.0.4; charset=utf-8',
      'cache-control',
      'no-store',
    ]);
  };
}
