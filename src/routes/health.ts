import { sendJson } from '../http/reply.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { StorageState } from '../store/store.ts';
import type { Handler } from './context.ts';

export interface HealthOptions {
  readonly lifecycle: Lifecycle;
  readonly storage: () => StorageState;
  readonly now: () => number;
}

/** Whether this instance serves: 200, or 503 while it starts or drains. No upstream is asked. */
export function health(options: HealthOptions): Handler {
  const { lifecycle, storage, now } = options;
  return (context) => {
    const { phase } = lifecycle;
    const uptime = Math.floor((now() - lifecycle.startedAt) / 1000);
    const cache = ['cache-control', 'no-store'];
    if (phase === 'ready') sendJson(context, 200, { status: 'ok', uptime, storage: storage() }, cache);
    else
      sendJson(context, 503, { status: phase, uptime, storage: storage() }, [...cache, 'retry-after', '2']);
  };
}
