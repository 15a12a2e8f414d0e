import { sendJson } from '../../http/reply.ts';
import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';
import { findWarnings } from './warnings.ts';

/** The state of the server for the panel: version, storage, encryption, snapshots, and what the owner should fix. */
export function adminStatus(services: Services): Handler {
  const { store, lifecycle, version, now, admin, snapshotStatus } = services;
  return async (context) => {
    const plainCopies = await store.findPlainCopies();
    const storage = store.status();
    const snapshot = snapshotStatus();
    sendJson(context, 200, {
      version,
      uptime: Math.floor((now() - lifecycle.startedAtMs) / 1000),
      storage: { state: storage.state, message: storage.message },
      encryption: { enabled: storage.encrypted },
      snapshot: snapshot.enabled ? snapshot : null,
      adminPassword: { isDefault: admin.isDefault(), isManagedByEnvironment: admin.isManagedByEnvironment },
      warnings: findWarnings(services, plainCopies),
    });
  };
}
