import { plural } from '../lib/format.js';
import { providerCondition } from '../lib/health.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { loadQuietly, watchList } from '../lib/resource.js';

const PROVIDERS = '/api/admin/providers';
const EVERY_MS = 60_000;

/**
 * Watches how many providers do not answer, for the badge in the sidebar. Every list of providers that any view loads
 * counts; without one they are asked for once a minute.
 * @param {(attention: { count: number, text: string }) => void} onChange
 */
export function watchAttention(onChange) {
  let knownAtMs = 0;
  watchList(PROVIDERS, (providers) => {
    knownAtMs = Date.now();
    const count = providers.filter((one) => providerCondition(one).kind === 'bad').length;
    onChange({
      count,
      text: count === 0 ? '' : `${plural(count, 'provider')} ${count === 1 ? 'does' : 'do'} not answer`,
    });
  });
  async function refresh() {
    if (Date.now() - knownAtMs >= EVERY_MS) await loadQuietly(PROVIDERS);
  }
  setTimeout(() => void refresh(), 1000);
  refreshWhileVisible(refresh, new AbortController().signal, EVERY_MS);
}
