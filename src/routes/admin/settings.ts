import type { Config } from '../../config.ts';
import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import { isRecord } from '../../json/value.ts';
import { isHostAllowed } from '../../providers/address-policy.ts';
import { originOf, parseBaseUrl } from '../../providers/base-url.ts';
import { keyHint } from '../../redaction.ts';
import type { AlertWebhook, Settings } from '../../store/entities.ts';
import type { ConfigState } from '../../store/store.ts';
import type { LastDelivery } from '../../usage/alerts.ts';
import type { Handler } from '../context.ts';
import { given, isBlank, toBaseUrl, toId, toOneOf, wrong } from '../fields.ts';
import { type Fields, readFields } from '../json-body.ts';
import type { View } from '../resource.ts';
import type { Services } from '../services.ts';

const SECRET_LENGTHS = [8, 256] as const;

/** Shows the settings, without the webhook's secret. */
export function showSettings({ store, alerting }: Services): Handler {
  return (context) => {
    const { settings } = store.config.view();
    sendJson(context, 200, viewSettings(settings, alerting.alerts.lastDelivery()));
  };
}

/** Changes the given settings. */
export function changeSettings(services: Services): Handler {
  const { config, budget, alerting } = services;
  return async (context) => {
    const fields = await readFields(context, budget);
    const settings = await services.changeConfig((state) => {
      const changed = edit(state.settings, fields, { config, state });
      return { state: { ...state, settings: changed }, result: changed };
    });
    sendJson(context, 200, viewSettings(settings, alerting.alerts.lastDelivery()));
  };
}

/** Sends the alert `test` to the webhook, once, and answers with the outcome. */
export function testAlert({ alerting }: Services): Handler {
  return async (context) => {
    sendJson(context, 200, { ...(await alerting.alerts.test(context.signal)) });
  };
}

function viewSettings({ alertWebhook, ...settings }: Settings, lastResult: LastDelivery | null): View {
  if (alertWebhook === null) return { ...settings, alertWebhook };
  const { url, secret, unreadable } = alertWebhook;
  const secretHint = secret === null ? null : keyHint(secret);
  return {
    ...settings,
    alertWebhook: { url, secretHint, secretUnreadable: unreadable !== null, lastResult },
  };
}

interface EditOptions {
  readonly config: Config;
  readonly state: ConfigState;
}

/** @throws HttpError `invalid_value`, `missing_required_parameter`, `api_key_required`. */
function edit(before: Settings, fields: Fields, { config, state }: EditOptions): Settings {
  return {
    ...before,
    defaultProviderId: given(fields, 'defaultProviderId', before.defaultProviderId, (value, param) => {
      if (isBlank(value)) return null;
      const id = toId(value, param);
      if (!state.providers.has(id)) throw wrong(param, 'names no provider');
      return id;
    }),
    unpricedModels: given(fields, 'unpricedModels', before.unpricedModels, (value, param) =>
      toOneOf(value, param, ['allow', 'refuse']),
    ),
    alertWebhook: given(fields, 'alertWebhook', before.alertWebhook, (value) =>
      toWebhook(value, before.alertWebhook, config),
    ),
  };
}

/** A secret that is absent, empty or the hint leaves the stored one, which never goes to another origin. */
function toWebhook(value: unknown, before: AlertWebhook | null, config: Config): AlertWebhook | null {
  if (isBlank(value)) return null;
  if (!isRecord(value)) throw wrong('alertWebhook', 'must be an object with url and secret, or null');
  const { url: givenUrl = before?.url, secret } = value;
  const url = toWebhookUrl(givenUrl, config);
  const stored = before?.secret ?? null;
  const isKept = isBlank(secret) || (stored !== null && secret === keyHint(stored));
  if (!isKept) return { url, secret: toSecret(secret), unreadable: null };
  if (before === null)
    throw secretMissing('missing_required_parameter', 'Enter a secret: it signs the alerts.');
  if (originOf(before.url) === originOf(url)) return { ...before, url };
  throw secretMissing('api_key_required', 'The URL leads to another host. Enter the secret for it again.');
}

function secretMissing(kind: 'missing_required_parameter' | 'api_key_required', message: string): HttpError {
  return new HttpError(kind, message, { param: 'alertWebhook.secret' });
}

function toWebhookUrl(value: unknown, { blockPrivateUpstreams }: Config): string {
  const param = 'alertWebhook.url';
  const text = toBaseUrl(value, param);
  const url = parseBaseUrl(text);
  if (url === null || isHostAllowed(url, blockPrivateUpstreams)) return text;
  throw wrong(
    param,
    'leads to a link-local, metadata or private address that this server does not connect to',
  );
}

function toSecret(value: unknown): string {
  const [least, most] = SECRET_LENGTHS;
  if (typeof value === 'string' && value.length >= least && value.length <= most && /^[!-~]+$/.test(value))
    return value;
  throw wrong('alertWebhook.secret', `must be ${least} to ${most} printable ASCII characters without spaces`);
}
