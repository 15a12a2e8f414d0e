import type { IncomingMessage } from 'node:http';
import { isLocalRequest } from '../http/client-address.ts';
import { createPeerOwners, type PeerOwners } from './peer-owner.ts';

/** Decides who may use what everybody knows: the default password and the sample keys of documents. */
export interface LocalAccess {
  /** True for a request made on the machine itself by the user who runs the server, or by root. */
  allows(req: IncomingMessage): Promise<boolean>;
  /** True where the system should name the owners of connections but does not, so that any local user passes. */
  ignoresOwners(): Promise<boolean>;
}

export interface LocalAccessOptions {
  readonly trustProxyHops: number;
  /** null: this system does not name the owners of connections. */
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
      const { socket, httpVersion, headers, rawHeaders } = req;
      const { remoteAddress } = socket;
      if (!isLocalRequest({ remoteAddress, httpVersion, headers, rawHeaders }, trustProxyHops)) return false;
      if (peers === null) return true;
      const owner = await peers.ownerOf(socket);
      return owner === 'unreadable' || owner === ownUid || owner === ROOT_UID;
    },
    ignoresOwners: async () => peers !== null && !(await peers.canRead()),
  };
}
