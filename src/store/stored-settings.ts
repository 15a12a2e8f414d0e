import { originOf } from '../providers/base-url.ts';
import type { AlertWebhook, Settings } from './entities.ts';
import { NEW_SETTINGS } from './new-records.ts';
import { oneOf, orNull, type Rule, TEXT } from './record-rules.ts';
import { type Field, type Fields, readRecord, SECRET, type StoredSecret } from './records.ts';
import type { Sealer, SecretPlace } from './secrets.ts';

interface StoredWebhook {
  readonly url: string;
  readonly secret: StoredSecret;
}

/** The settings as a file holds them. */
interface StoredSettings extends Omit<Settings, 'alertWebhook'> {
  readonly alertWebhook: StoredWebhook | null;
}

const WEBHOOK: Fields<StoredWebhook> = { url: TEXT, secret: SECRET };
const WEBHOOK_RULE: Rule = {
  expected: 'an object with url and secret',
  isRight: (value) => typeof value === 'object' && !Array.isArray(value),
};
const DEFAULT_PROVIDER: Field = { ...orNull(TEXT), absent: null };

const SETTINGS: Fields<StoredSettings> = {
  defaultProviderId: DEFAULT_PROVIDER,
  unpricedModels: { ...oneOf('allow', 'refuse'), absent: NEW_SETTINGS.unpricedModels },
  alertWebhook: { ...WEBHOOK_RULE, absent: null, record: WEBHOOK },
};

/** Settings from a file. */
export interface OpenedSettings {
  readonly settings: Settings;
  /** True if the secret should be sealed anew: it was not sealed, or with the previous key. */
  readonly isStale: boolean;
  /** The settings as they stand in the file; null: the file has none. */
  readonly stored: object | null;
}

/**
 * Reads the settings of a document; files of earlier versions have none. A secret that cannot be decrypted is kept as it is.
 * @throws DocumentError `refused` naming what cannot be read.
 */
export function openSettings(value: unknown, sealer: Sealer | null): OpenedSettings {
  if (value === undefined || value === null) return { settings: NEW_SETTINGS, isStale: false, stored: null };
  const stored = readRecord(SETTINGS, value, 'settings');
  if (stored.alertWebhook === null)
    return { settings: { ...stored, alertWebhook: null }, isStale: false, stored };
  const { alertWebhook, isStale } = openWebhook(stored.alertWebhook, sealer);
  return { settings: { ...stored, alertWebhook }, isStale, stored };
}

function openWebhook(
  { url, secret }: StoredWebhook,
  sealer: Sealer | null,
): { readonly alertWebhook: AlertWebhook; readonly isStale: boolean } {
  if (secret === null || typeof secret === 'string') {
    const text = secret === '' ? null : secret;
    return {
      alertWebhook: { url, secret: text, unreadable: null },
      isStale: text !== null && sealer !== null,
    };
  }
  const opened = sealer?.open(secret.sealed, placeOf(url)) ?? null;
  const unreadable = opened === null ? secret.sealed : null;
  return {
    alertWebhook: { url, secret: opened?.text ?? null, unreadable },
    isStale: opened?.isStale ?? false,
  };
}

/** The settings as a file holds them. Without a sealer the secret is stored as it is. */
export function toStoredSettings(settings: Settings, sealer: Sealer | null): object {
  const { alertWebhook } = settings;
  if (alertWebhook === null) return settings;
  const { url, secret, unreadable } = alertWebhook;
  return { ...settings, alertWebhook: { url, secret: toStoredSecret({ url, secret, unreadable }, sealer) } };
}

function toStoredSecret({ url, secret, unreadable }: AlertWebhook, sealer: Sealer | null): StoredSecret {
  if (secret === null) return unreadable === null ? null : { sealed: unreadable };
  return sealer === null ? secret : { sealed: sealer.seal(secret, placeOf(url)) };
}

/** The webhook's secret is sealed to its origin and does not open with another one. */
function placeOf(url: string): SecretPlace {
  return { record: 'settings', id: '', field: 'alertWebhook', origin: originOf(url) ?? '' };
}
