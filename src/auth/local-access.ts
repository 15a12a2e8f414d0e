import type { IncomingMessage } from 'node:http';
import { isLocalRequest, requestOrigin } from '../http/client-address.ts';
import { createPeerOwners, type PeerOwners } from './peer-owner.ts';

/** Decides who may use public secrets: the default password and the sample keys from documentation. */
export interface LocalAccess {
  /** True for a request made on the machine itself by the user who runs the server, or by root. */
  allows(req: IncomingMessage): Promise<boolean>;
  /** True on Linux if the owners of connections cannot be read; then every local user passes. */
  cannotSeeOwners(): Promise<boolean>;
}

export interface LocalAccessOptions {
  readonly trustProxyHops: number;
  /** null: the system does not tell who owns a connection. */
  readonly peers?: PeerOwners | null;
  /** The id of the user who runs the server. */
  readonly ownUid?: number | undefined;
}

const ROOT_UID = 0;

/**
 * Makes the one decision for the default password and the sample keys. A proxy on the same machine may hide itself and
 * pass on the whole internet; it usually runs as a user of its own, which Linux tells. A proxy that runs as the same user
 * cannot be told apart.
 */
export function createLocalAccess(options: LocalAccessOptions): LocalAccess {
  const {
    trustProxyHops,
    peers = process.platform === 'linux' ? createPeerOwners() : null,
    ownUid = process.geteuid?.(),
  } = options;
  return {
    async allows(req) {
      if (!isLocalRequest(requestOrigin(req), trustProxyHops)) return false;
      if (peers === null) return true;
      const owner = await peers.ownerOf(req.socket);
      return owner === 'unreadable' || owner === ownUid || owner === ROOT_UID;
    },
    cannotSeeOwners: async () => peers !== null && !(await peers.canRead()),
  };
}
