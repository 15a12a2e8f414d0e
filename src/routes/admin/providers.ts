import { keyHint } from '../../auth/api-keys.ts';
import type { Config } from '../../config.ts';
import { HttpError } from '../../errors.ts';
import { sendEmpty, sendJson } from '../../http/reply.ts';
import { isAddressAllowed } from '../../providers/address-policy.ts';
import { originOf, parseBaseUrl, withScheme } from '../../providers/base-url.ts';
import { notFound, requireEntity, requireFree, withEntity, withoutEntities } from '../../store/changes.ts';
import type { Provider } from '../../store/entities.ts';
import type { Handler } from '../context.ts';
import {
  given,
  readQueryFlag,
  requireField,
  toBaseUrl,
  toBoolean,
  toId,
  toOneOf,
  toText,
  wrong,
} from '../fields.ts';
import { type Fields, readFields } from '../json-body.ts';
import type { Services } from '../services.ts';
import { toProviderOptions } from './provider-options.ts';

/** A provider as the panel sees it: everything but its key. */
function viewProvider(provider: Provider): Record<string, unknown> {
  const { apiKey, unreadableApiKey, ...visible } = provider;
  return {
    ...visible,
    apiKeyHint: apiKey === null ? null : keyHint(apiKey),
    apiKeyUnreadable: unreadableApiKey !== null,
  };
}

export function listProviders({ store }: Services): Handler {
  return (context) => {
    const data = [...store.config.view().providers.values()].map(viewProvider);
    sendJson(context, 200, { data });
  };
}

export function getProvider({ store }: Services): Handler {
  return (context) => {
    const id = context.params.get('id') ?? '';
    sendJson(context, 200, viewProvider(requireEntity(store.config.view(), 'providers', id)));
  };
}

export function createProvider(services: Services): Handler {
  return async (context) => {
    const fields = await readFields(context, services.budget);
    const name = toText(requireField(fields, 'name'), 'name');
    const time = new Date(services.now()).toISOString();
    const draft: Provider = {
      id: fields.get('id') == null || fields.get('id') === '' ? '' : toId(fields.get('id'), 'id'),
      name,
      baseUrl: checkedBaseUrl(requireField(fields, 'baseUrl'), services.config),
      apiKey: null,
      unreadableApiKey: null,
      type: 'openai',
      enabled: true,
      options: {},
      createdAt: time,
      updatedAt: time,
    };
    const edited = edit(draft, fields, services.config);
    const created = await services.store.config.update((state) => {
      const provider = draft.id === '' ? { ...edited, id: freeId(name, state.providers) } : edited;
      requireFree(state, 'providers', provider.id);
      return { state: withEntity(state, 'providers', provider), result: provider };
    });
    sendJson(context, 201, viewProvider(created));
  };
}

export function updateProvider(services: Services): Handler {
  return async (context) => {
    const id = context.params.get('id') ?? '';
    const fields = await readFields(context, services.budget);
    const updated = await services.store.config.update((state) => {
      const before = requireEntity(state, 'providers', id);
      const edited = edit(before, fields, services.config);
      requireKeyForNewHost(before, edited, fields);
      const provider = { ...edited, updatedAt: new Date(services.now()).toISOString() };
      return { state: withEntity(state, 'providers', provider), result: provider };
    });
    sendJson(context, 200, viewProvider(updated));
  };
}

export function deleteProvider({ store }: Services): Handler {
  return async (context) => {
    const id = context.params.get('id') ?? '';
    const cascade = readQueryFlag(context.query, 'cascade') ?? false;
    await store.config.update((state) => {
      if (!state.providers.has(id)) throw notFound('providers');
      const models = [...state.models.values()].filter((model) => model.providerId === id);
      if (models.length > 0 && !cascade) {
        throw new HttpError(
          'provider_in_use',
          `${models.length} model(s) use this provider. Delete them first, or delete all with ?cascade=true.`,
        );
      }
      const pruned =
        models.length === 0 ? state : withoutEntities(state, 'models', (model) => model.providerId === id);
      return { state: withoutEntities(pruned, 'providers', (provider) => provider.id === id), result: null };
    });
    sendEmpty(context, 204);
  };
}

function edit(before: Provider, fields: Fields, config: Config): Provider {
  const apiKey = given(fields, 'apiKey', before.apiKey, (value) => editApiKey(value, before));
  return {
    ...before,
    name: given(fields, 'name', before.name, toText),
    baseUrl: given(fields, 'baseUrl', before.baseUrl, (value) => checkedBaseUrl(value, config)),
    type: given(fields, 'type', before.type, (value, param) => toOneOf(value, param, ['openai', 'chutes'])),
    enabled: given(fields, 'enabled', before.enabled, toBoolean),
    options: given(fields, 'options', before.options, (value) => toProviderOptions(value, before.options)),
    apiKey,
    unreadableApiKey: keepsKey(fields, before) ? before.unreadableApiKey : null,
  };
}

/** Absent, empty or the hint itself: the stored key stays. */
function keepsKey(fields: Fields, before: Provider): boolean {
  const value = fields.get('apiKey');
  const hint = before.apiKey === null ? undefined : keyHint(before.apiKey);
  return value === undefined || value === '' || value === hint;
}

function editApiKey(value: unknown, before: Provider): string | null {
  if (value === null) return null;
  if (value === '' || (before.apiKey !== null && value === keyHint(before.apiKey))) return before.apiKey;
  // It becomes a header of every request: anything but visible ASCII would break it or add another.
  if (typeof value === 'string' && /^[\x21-\x7e]([\x20-\x7e]{0,4094}[\x21-\x7e])?$/.test(value.trim()))
    return value.trim();
  throw wrong('apiKey', 'must be 1 to 4096 printable ASCII characters');
}

/** A stored key is never sent to a host it was not entered for. */
function requireKeyForNewHost(before: Provider, after: Provider, fields: Fields): void {
  const hasKey = before.apiKey !== null || before.unreadableApiKey !== null;
  const isSameHost = originOf(before.baseUrl) === originOf(after.baseUrl);
  if (!hasKey || isSameHost || !keepsKey(fields, before)) return;
  throw new HttpError(
    'api_key_required',
    'The base URL leads to another host. Enter the API key for it again, or remove the stored one.',
    { param: 'apiKey' },
  );
}

function checkedBaseUrl(value: unknown, config: Config): string {
  if (typeof value === 'string' && hasCredentials(value)) {
    throw wrong('baseUrl', 'must not hold a user name or password: a secret belongs in the API key field');
  }
  const text = toBaseUrl(value, 'baseUrl');
  const host = parseBaseUrl(text)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const isLiteral = /^[\d.]+$|:/.test(host);
  if (isLiteral && !isAddressAllowed(host, config.blockPrivateUpstreams)) {
    throw wrong(
      'baseUrl',
      'leads to a link-local, metadata or private address that this server does not connect to',
    );
  }
  return text;
}

function hasCredentials(address: string): boolean {
  const url = withScheme(address.trim());
  return URL.canParse(url) && (new URL(url).username !== '' || new URL(url).password !== '');
}

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
