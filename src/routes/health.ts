import { type Exchange, sendJson } from '../http/reply.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { StorageState } from '../store/store.ts';

export interface HealthOptions {
  readonly lifecycle: Lifecycle;
  readonly storage: () => StorageState;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Whether this instance serves: 200, or 503 while it starts or drains. No upstream is asked. */
export function health(options: HealthOptions): (exchange: Exchange) => void {
  const { lifecycle, storage, now } = options;
  return (exchange) => {
    const { phase } = lifecycle;
    const uptime = Math.floor((now() - lifecycle.startedAtMs) / 1000);
    const cache = ['cache-control', 'no-store'];
    if (phase === 'ready') sendJson(exchange, 200, { status: 'ok', uptime, storage: storage() }, cache);
    else
      sendJson(exchange, 503, { status: phase, uptime, storage: storage() }, [...cache, 'retry-after', '2']);
  };
}
