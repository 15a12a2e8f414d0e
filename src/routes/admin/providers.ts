import type { Config } from '../../config.ts';
import { HttpError } from '../../errors.ts';
import type { Health } from '../../gateway/health.ts';
import { isHostAllowed } from '../../providers/address-policy.ts';
import { originOf, parseBaseUrl, withScheme } from '../../providers/base-url.ts';
import { requireFree } from '../../store/changes.ts';
import type { Fallback, Model, Provider, ProviderKey } from '../../store/entities.ts';
import { newProvider } from '../../store/new-records.ts';
import { newProviderKey } from '../../store/provider-keys.ts';
import {
  given,
  orNull,
  readQueryFlag,
  requireField,
  toBaseUrl,
  toBoolean,
  toId,
  toOneOf,
  toText,
  wrong,
} from '../fields.ts';
import type { Fields } from '../json-body.ts';
import type { Removal, Resource, View } from '../resource.ts';
import type { Services } from '../services.ts';
import { hintOf, requireNewSecret, toProviderKey, viewKeys } from './provider-keys.ts';
import { toProviderOptions } from './provider-options.ts';

/** Providers under `/api/admin/providers`. With `?cascade=true` a provider's models and fallbacks go along with it. */
export function providerResource(services: Services): Resource<'providers'> {
  return {
    collection: 'providers',
    view: (providers) => providers.map((provider) => viewProvider(provider, services.health)),
    readNew({ fields, time }) {
      const name = toText(requireField(fields, 'name'), 'name');
      const id = given(fields, 'id', null, orNull(toId));
      const baseUrl = checkedBaseUrl(requireField(fields, 'baseUrl'), services.config);
      const edited = readChange(fields, services)(newProvider({ id: '', name, baseUrl }, time));
      return {
        create(state) {
          const provider = { ...edited, id: id ?? freeId(name, state.providers) };
          requireFree(state, 'providers', provider.id);
          return provider;
        },
      };
    },
    readEdit: ({ fields, time }) => {
      const change = readChange(fields, services);
      return (before) => ({ ...change(before), updatedAt: time });
    },
    readRemoval: (query) => removeModels(readQueryFlag(query, 'cascade') ?? false),
  };
}

/** Everything but the secrets. `apiKey...` is about the first key. */
export function viewProvider(provider: Provider, health: Health): View {
  const { keys, prices: _prices, ...visible } = provider;
  const [first] = keys;
  return {
    ...visible,
    apiKeyHint: hintOf(first),
    apiKeyUnreadable: (first?.unreadable ?? null) !== null,
    apiKeys: viewKeys(provider, health),
    health: health.ofProvider(provider),
  };
}

/**
 * Removes the models that a provider is the first of, and the provider from the fallbacks of all others and from the settings.
 * @throws (the function returned) HttpError `provider_in_use` if there are such models and they must stay as they are.
 */
function removeModels(isCascade: boolean): Removal<'providers'> {
  return ({ id }, state) => {
    const isFallback = ({ providerId }: Fallback): boolean => providerId === id;
    const others = [...state.models.values()].filter(({ providerId }) => providerId !== id);
    const firstCount = state.models.size - others.length;
    const fallbackCount = others.filter(({ fallbacks }) => fallbacks.some(isFallback)).length;
    const { settings } = state;
    const kept =
      settings.defaultProviderId === id
        ? { ...state, settings: { ...settings, defaultProviderId: null } }
        : state;
    if (firstCount + fallbackCount === 0) return kept;
    if (!isCascade) throw inUse(firstCount, fallbackCount);
    const keptModels = others.map((model): [string, Model] => {
      const fallbacks = model.fallbacks.filter((fallback) => !isFallback(fallback));
      const isSame = fallbacks.length === model.fallbacks.length;
      return [model.id, isSame ? model : { ...model, fallbacks }];
    });
    return { ...kept, models: new Map(keptModels) };
  };
}

/** @param fallbackCount how many models have the provider as a fallback only */
function inUse(firstCount: number, fallbackCount: number): HttpError {
  const uses: string[] = [];
  if (firstCount > 0)
    uses.push(`${firstCount === 1 ? '1 model uses' : `${firstCount} models use`} this provider`);
  if (fallbackCount > 0)
    uses.push(`${fallbackCount === 1 ? '1 model has' : `${fallbackCount} models have`} it as a fallback`);
  const fix =
    firstCount > 0
      ? 'Delete the models first, or delete all with ?cascade=true.'
      : 'Remove the fallbacks first, or remove all with ?cascade=true.';
  return new HttpError('provider_in_use', `${uses.join(', ')}. ${fix}`);
}

/** Reads the given fields; the function returned applies them, and throws HttpError for what does not fit the provider. */
function readChange(fields: Fields, { config, randomBytes }: Services): (before: Provider) => Provider {
  const secret = given(fields, 'apiKey', null, orNull(toProviderKey));
  const newKey = secret === null ? null : newProviderKey(secret, randomBytes);
  return (before) => {
    const after = {
      ...before,
      name: given(fields, 'name', before.name, toText),
      baseUrl: given(fields, 'baseUrl', before.baseUrl, (value) => checkedBaseUrl(value, config)),
      type: given(fields, 'type', before.type, (value, param) => toOneOf(value, param, ['openai', 'chutes'])),
      enabled: given(fields, 'enabled', before.enabled, toBoolean),
      options: given(fields, 'options', before.options, (value) => toProviderOptions(value, before.options)),
    };
    // Another host has other prices.
    const prices = originOf(before.baseUrl) === originOf(after.baseUrl) ? before.prices : {};
    return { ...after, prices, keys: keysAfter(before, after, keepsKey(fields, before) ? 'kept' : newKey) };
  };
}

/** An absent or empty key, and the hint of the first key, leave the keys as they are. */
function keepsKey(fields: Fields, { keys }: Provider): boolean {
  const value = fields.get('apiKey');
  return value === undefined || value === '' || value === (hintOf(keys[0]) ?? undefined);
}

/**
 * The keys with another first key; null: without the first. No key is ever sent to a host for which it was not entered:
 * at a new one, the new key replaces all.
 * @throws HttpError `api_key_required`; `already_exists` if another key is the same.
 */
function keysAfter(
  before: Provider,
  after: Provider,
  first: ProviderKey | 'kept' | null,
): readonly ProviderKey[] {
  const isSameHost = originOf(before.baseUrl) === originOf(after.baseUrl);
  if (first === 'kept') {
    if (isSameHost || before.keys.length === 0) return before.keys;
    throw new HttpError(
      'api_key_required',
      'The base URL leads to another host. Enter the API key for it again, or remove the stored one.',
      { param: 'apiKey' },
    );
  }
  const others = isSameHost ? before.keys.slice(1) : [];
  if (first === null) return others;
  requireNewSecret(others, first.secret);
  return [first, ...others];
}

/** A base URL without a secret, on a host that this server may connect to. Host names are checked when they resolve. */
function checkedBaseUrl(value: unknown, config: Config): string {
  if (typeof value === 'string' && hasCredentials(value))
    throw wrong('baseUrl', 'must not contain a user name or password: put the secret into the API key field');
  const text = toBaseUrl(value, 'baseUrl');
  const url = parseBaseUrl(text);
  if (url === null || isHostAllowed(url, config.blockPrivateUpstreams)) return text;
  throw wrong(
    'baseUrl',
    'leads to a link-local, metadata or private address that this server does not connect to',
  );
}

function hasCredentials(address: string): boolean {
  const url = withScheme(address.trim());
  return URL.canParse(url) && (new URL(url).username !== '' || new URL(url).password !== '');
}

/** The first free one of `my-name`, `my-name-2`, `my-name-3` ... */
function freeId(name: string, taken: ReadonlyMap<string, unknown>): string {
  const slug =
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 100) || 'provider';
  for (let count = 1; ; count += 1) {
    const id = count === 1 ? slug : `${slug}-${count}`;
    if (!taken.has(id)) return id;
  }
}
