import type { Config } from './config.ts';
import type { Store } from './store/store.ts';

/** The secrets that no log line may hold. */
export class LogSecrets {
  /** Its providers' keys are secrets too; null until it is open. */
  store: Store | null = null;
  readonly #own: readonly string[];
  #list: readonly string[];
  /** The providers whose keys are in the list. */
  #providers: unknown = null;

  constructor({ masterApiKey, uiPassword, encryptionKey, previousEncryptionKey, snapshot }: Config) {
    const own = [masterApiKey, uiPassword, encryptionKey, previousEncryptionKey];
    this.#own = [...own, snapshot?.key, snapshot?.token].filter((secret) => typeof secret === 'string');
    this.#list = this.#own;
  }

  /** The same list as long as the providers are the same. */
  readonly list = (): readonly string[] => {
    const providers = this.store?.config.view().providers;
    if (providers === undefined || providers === this.#providers) return this.#list;
    this.#providers = providers;
    const keys = [...providers.values()].map(({ apiKey }) => apiKey);
    this.#list = [...this.#own, ...keys.filter((secret) => typeof secret === 'string')];
    return this.#list;
  };
}
