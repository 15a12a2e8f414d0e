import { isSampleKey } from '../../auth/known-secrets.ts';
import { MIN_PASSWORD_LENGTH } from '../../auth/passwords.ts';
import type { SnapshotStatus } from '../../offsite/status.ts';
import type { AlertWebhook, Provider } from '../../store/entities.ts';
import { hasUnreadableKey } from '../../store/provider-keys.ts';
import type { StorageStatus } from '../../store/store.ts';
import type { LedgerStatus } from '../../usage/ledger/ledger.ts';
import type { Services } from '../services.ts';

/** Something that the owner should fix. */
export interface Warning {
  readonly code: string;
  /** What is wrong and what to do; no secret. */
  readonly message: string;
}

/** What the warnings are made from. */
interface WarningInput extends Pick<Services, 'admin' | 'config'> {
  readonly storage: StorageStatus;
  readonly snapshot: SnapshotStatus;
  readonly usage: LedgerStatus;
  /** Some of what keys and users have used could not be read. */
  readonly budgetsDamaged: boolean;
  /** Providers with a key that cannot be decrypted. */
  readonly unreadable: readonly Provider[];
  readonly alertWebhook: AlertWebhook | null;
  /** Names of files beside the database that hold secrets in clear text. */
  readonly plainCopies: readonly string[];
}

type Text = string | ((input: WarningInput) => string);
type Row = readonly [code: Text, applies: (input: WarningInput) => boolean, message: Text];

const MEBIBYTE = 1024 * 1024;
const SHORT_KEY_LENGTH = 24;

/** Every warning, the most urgent first. */
const WARNINGS: readonly Row[] = [
  [
    'default_password',
    ({ admin }) => admin.isDefault(),
    ({ admin }) =>
      `The admin password is a default one. ${admin.isManagedByEnvironment ? 'Set another UI_PASSWORD, then restart.' : 'Set a password in Settings, or set UI_PASSWORD.'} Until then sign-in works only on this machine, for the user who runs the server. The server cannot recognise a proxy that runs as the same user.`,
  ],
  [
    'short_password',
    ({ admin, config }) => !admin.isDefault() && isShorter(config.uiPassword, MIN_PASSWORD_LENGTH),
    `UI_PASSWORD is shorter than ${MIN_PASSWORD_LENGTH} characters and can be guessed. Set a longer one.`,
  ],
  [
    'sample_master_key',
    ({ config }) => config.masterApiKey !== null && isSampleKey(config.masterApiKey),
    'MASTER_API_KEY is a sample from the documentation and works on this machine only. Set your own key.',
  ],
  [
    'short_master_key',
    ({ config }) =>
      isShorter(config.masterApiKey, SHORT_KEY_LENGTH) && !isSampleKey(config.masterApiKey ?? ''),
    `MASTER_API_KEY is shorter than ${SHORT_KEY_LENGTH} characters and can be guessed. Set a longer one.`,
  ],
  [
    ({ storage }) => `storage_${storage.state.replace('-', '_')}`,
    ({ storage }) => storage.state !== 'ok',
    ({ storage }) => storage.message,
  ],
  [
    ({ snapshot }) => `snapshot_${snapshot.lastResult}`,
    ({ snapshot }) => snapshot.lastResult !== null && snapshot.lastResult !== 'written',
    ({ snapshot }) => snapshot.message,
  ],
  [
    'snapshot_usage_failing',
    ({ snapshot: { usage } }) => (usage?.lastResult ?? 'written') !== 'written',
    ({ snapshot: { usage } }) => usage?.message ?? '',
  ],
  [
    'snapshot_unprotected',
    ({ snapshot }) => snapshot.lastResult === 'written' && snapshot.protected === false,
    ({ snapshot }) => snapshot.message,
  ],
  [
    'usage_damaged',
    ({ usage, budgetsDamaged }) => usage.isDamaged || budgetsDamaged,
    'Some files of the usage statistics were damaged, so older sums may be too low. The damaged parts were set aside as *.damaged in the folder that ends with .usage, beside the database. Delete them and restart to end this warning.',
  ],
  [
    'usage_not_written',
    ({ usage }) => usage.isFailing,
    'The usage statistics cannot be written to the disk; what is counted now is lost at a restart. Make room, or make the folder beside the database writable.',
  ],
  [
    'unreadable_provider_keys',
    ({ unreadable }) => unreadable.length > 0,
    ({ unreadable }) =>
      `The keys of ${unreadable.map(({ id }) => id).join(', ')} cannot be decrypted. Either ENCRYPTION_KEY has changed, or the base URL was changed outside the panel, or the backup did not contain the keys. Set the right ENCRYPTION_KEY, or enter the keys again.`,
  ],
  [
    'unreadable_webhook_secret',
    ({ alertWebhook }) => alertWebhook !== null && alertWebhook.secret === null,
    'Alerts cannot be signed, so none are sent: the secret of the webhook cannot be decrypted, or the backup did not contain it. Set the right ENCRYPTION_KEY, or enter the secret again.',
  ],
  [
    'plaintext_copies',
    ({ plainCopies }) => plainCopies.length > 0,
    ({ plainCopies }) =>
      `Old copies of the database hold keys or passwords in clear text. Check that everything works, then delete them in the database's folder: rm ${quoted(plainCopies)}`,
  ],
  [
    'keys_not_encrypted',
    ({ storage }) => !storage.encrypted && storage.state !== 'volatile',
    'Provider keys are stored unencrypted; only the owner of the file can read it. Set ENCRYPTION_KEY to encrypt them.',
  ],
  [
    'small_inflight_limit',
    ({ config }) => config.maxInflightBytes < 2 * config.maxBodyBytes,
    ({ config }) =>
      `MAX_INFLIGHT_MB is less than twice MAX_BODY_MB. One key may use half of it, so its largest requests get 503. Set MAX_INFLIGHT_MB to ${(2 * config.maxBodyBytes) / MEBIBYTE} or more.`,
  ],
  [
    'old_node',
    () => !isSafeNode(process.versions.node),
    `Node ${process.versions.node} lacks security fixes. Use 22.23.4, 24.22.1, 26.12.1 or newer.`,
  ],
];

/**
 * The warnings that apply now, the most urgent first.
 * @param plainCopies names of files beside the database that hold secrets in clear text
 */
export function findWarnings(services: Services, plainCopies: readonly string[]): Warning[] {
  const { store, snapshotStatus, admin, config, ledger, budgetsDamaged } = services;
  const providers = [...store.config.view().providers.values()];
  const input: WarningInput = {
    admin,
    config,
    storage: store.status(),
    snapshot: snapshotStatus(),
    usage: ledger.status(),
    budgetsDamaged,
    unreadable: providers.filter(hasUnreadableKey),
    alertWebhook: store.config.view().settings.alertWebhook,
    plainCopies,
  };
  const textOf = (text: Text): string => (typeof text === 'string' ? text : text(input));
  const rows = WARNINGS.filter(([, applies]) => applies(input));
  return rows.map(([code, , message]) => ({ code: textOf(code), message: textOf(message) }));
}

/** The warnings for the log at the start. Only these tell whether the system hides who opens a connection. */
export async function findStartWarnings(services: Services): Promise<Warning[]> {
  const warnings = findWarnings(services, await services.store.findPlainCopies());
  const isOpen = warnings.some(({ code }) => code === 'default_password' || code === 'sample_master_key');
  if (!isOpen || !(await services.localAccess.cannotSeeOwners())) return warnings;
  const message =
    'The system does not tell which user opened a connection (/proc/net/tcp cannot be read). So the default password and the sample keys work for every user and every hidden proxy on this machine. Set UI_PASSWORD and MASTER_API_KEY.';
  return [...warnings, { code: 'connection_owners_unreadable', message }];
}

function isShorter(secret: string | null, length: number): boolean {
  return secret !== null && secret.length < length;
}

const COPIES_SHOWN = 10;

function quoted(names: readonly string[]): string {
  const shown = names.slice(0, COPIES_SHOWN).map((name) => `'${name}'`);
  const rest = names.length > shown.length ? ` (and ${names.length - shown.length} more)` : '';
  return shown.join(' ') + rest;
}

/** The first releases, by major version, with the fixes of the 2026 security releases. */
const SAFE_NODE: Readonly<Record<string, readonly [minor: number, patch: number]>> = {
  22: [23, 4],
  24: [22, 1],
  26: [12, 1],
};

function isSafeNode(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const least = SAFE_NODE[String(major)];
  if (least === undefined) return major > 26;
  return minor > least[0] || (minor === least[0] && patch >= least[1]);
}
