import { MIN_PASSWORD_LENGTH } from '../../auth/passwords.ts';
import { type Config, isSampleKey } from '../../config.ts';
import { sendJson } from '../../http/reply.ts';
import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';

export interface Warning {
  readonly code: string;
  readonly message: string;
}

const MEBIBYTE = 1024 * 1024;

/** Who is signed in. */
export function adminMe({ config }: Services): Handler {
  return (context) => sendJson(context, 200, { username: config.uiUsername, role: 'admin' });
}

/** What the panel's Overview shows: version, storage, and what the owner should mend. */
export function adminStatus(services: Services): Handler {
  return async (context) => {
    const { store, lifecycle, version, now, admin } = services;
    const plainCopies = await store.findPlainCopies();
    const storage = store.status();
    const snapshot = services.snapshotStatus();
    sendJson(context, 200, {
      version,
      uptime: Math.floor((now() - lifecycle.startedAt) / 1000),
      storage: { state: storage.state, message: storage.message },
      encryption: { enabled: storage.encrypted },
      snapshot: snapshot.enabled ? snapshot : null,
      adminPassword: { isDefault: admin.isDefault(), isManagedByEnvironment: admin.isManagedByEnvironment },
      warnings: findWarnings(services, plainCopies),
    });
  };
}

/** Node releases with the fixes of the 2026 security releases; older ones are named in the warning. */
const SAFE_NODE: Readonly<Record<string, readonly [number, number]>> = {
  22: [23, 4],
  24: [22, 1],
  26: [12, 1],
};

/**
 * Everything that the owner should know of, most urgent first.
 * @param plainCopies names of files beside the database that hold secrets in clear text
 */
export function findWarnings(services: Services, plainCopies: readonly string[]): Warning[] {
  const rows = [
    ...loginWarnings(services),
    ...storageWarnings(services, plainCopies),
    ...limitWarnings(services.config),
  ];
  return rows.flatMap(([applies, code, message]) => (applies ? [{ code, message }] : []));
}

type Row = readonly [applies: boolean, code: string, message: string];

/** Passwords and keys that others may guess. */
function loginWarnings({ admin, config }: Services): readonly Row[] {
  return [
    [
      admin.isDefault(),
      'default_password',
      `The admin password is a default one. ${admin.isManagedByEnvironment ? 'Set another UI_PASSWORD, then restart.' : 'Set one in Settings, or set UI_PASSWORD.'} Until then sign-in works only on this machine, for the user who runs the server. A proxy that runs as the same user is not recognised.`,
    ],
    [
      !admin.isDefault() && config.uiPassword !== null && config.uiPassword.length < MIN_PASSWORD_LENGTH,
      'short_password',
      `UI_PASSWORD is shorter than ${MIN_PASSWORD_LENGTH} characters and may be guessed.`,
    ],
    [
      config.masterApiKey !== null && isSampleKey(config.masterApiKey),
      'sample_master_key',
      'MASTER_API_KEY is a sample from the documentation and works on this machine only. Set one of your own.',
    ],
    [
      config.masterApiKey !== null && !isSampleKey(config.masterApiKey) && config.masterApiKey.length < 24,
      'short_master_key',
      'MASTER_API_KEY is shorter than 24 characters and may be guessed.',
    ],
  ];
}

/** What may get lost, and what lies open on the disk. */
function storageWarnings(
  { store, snapshotStatus }: Services,
  plainCopies: readonly string[],
): readonly Row[] {
  const storage = store.status();
  const snapshot = snapshotStatus();
  const unreadable = [...store.config.view().providers.values()].filter(
    (item) => item.unreadableApiKey !== null,
  );
  return [
    [storage.state !== 'ok', `storage_${storage.state.replace('-', '_')}`, storage.message],
    [
      snapshot.lastResult !== null && snapshot.lastResult !== 'written',
      `snapshot_${snapshot.lastResult}`,
      snapshot.message,
    ],
    [
      snapshot.lastResult === 'written' && snapshot.protected === false,
      'snapshot_unprotected',
      snapshot.message,
    ],
    [
      unreadable.length > 0,
      'unreadable_provider_keys',
      `The keys of ${unreadable.map(({ id }) => id).join(', ')} cannot be decrypted: ENCRYPTION_KEY is another one, the base URL was changed outside the panel, or the backup did not hold them. Set the right ENCRYPTION_KEY or enter them again.`,
    ],
    [plainCopies.length > 0, 'plaintext_copies', describeCopies(plainCopies)],
    [
      !storage.encrypted,
      'keys_not_encrypted',
      'Provider keys are stored unencrypted (the file is readable by its owner only). Set ENCRYPTION_KEY to encrypt them.',
    ],
  ];
}

/** Settings and a Node that do not suffice. */
function limitWarnings(config: Config): readonly Row[] {
  return [
    [
      config.maxInflightBytes < 2 * config.maxBodyBytes,
      'small_inflight_limit',
      `MAX_INFLIGHT_MB is less than twice MAX_BODY_MB: a key may hold half of it, so its largest requests get 503. Set MAX_INFLIGHT_MB to ${(2 * config.maxBodyBytes) / MEBIBYTE} or more.`,
    ],
    [
      !isSafeNode(process.versions.node),
      'old_node',
      `Node ${process.versions.node} lacks security fixes. Use 22.23.4, 24.22.1, 26.12.1 or newer.`,
    ],
  ];
}

/** What the log says at the start: the same, and whether the default password is open to other users of the machine. */
export async function findStartWarnings(services: Services): Promise<Warning[]> {
  const warnings = findWarnings(services, await services.store.findPlainCopies());
  const isOpen = warnings.some(({ code }) => code === 'default_password' || code === 'sample_master_key');
  if (!isOpen || !(await services.localAccess.cannotSeeOwners())) return warnings;
  const message =
    'The system does not tell which user opened a connection (/proc/net/tcp cannot be read): the default password and the sample keys work for every user and every hidden proxy on this machine. Set UI_PASSWORD and MASTER_API_KEY.';
  return [...warnings, { code: 'connection_owners_unreadable', message }];
}

const COPIES_SHOWN = 10;

function describeCopies(names: readonly string[]): string {
  const shown = names.slice(0, COPIES_SHOWN).map((name) => `'${name}'`);
  const rest = names.length > shown.length ? ` (and ${names.length - shown.length} more)` : '';
  return `Old copies of the database hold keys or passwords in clear text. Check that everything works, then delete them in the database's folder: rm ${shown.join(' ')}${rest}`;
}

function isSafeNode(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const least = SAFE_NODE[String(major)];
  if (least === undefined) return major > 26;
  return minor > least[0] || (minor === least[0] && patch >= least[1]);
}
