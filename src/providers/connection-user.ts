import type { Socket } from 'node:net';

/** Uses a connection for one request. */
export interface ConnectionUser {
  /** Nothing was sent or received for the idle timeout. */
  onIdle(): void;
  /** Reading goes on after a pause. */
  onResume(): void;
  /** The connection is closed. node:http does not know it yet. */
  onSocketClose(): void;
}

interface Slot {
  user: ConnectionUser | null;
}

const slots = new WeakMap<Socket, Slot>();

/**
 * Makes a request the user of a connection. Returns false if the connection was used before. The connection's listeners are
 * added once and serve all its requests.
 */
export function useConnection(socket: Socket, user: ConnectionUser): boolean {
  const known = slots.get(socket);
  if (known !== undefined) {
    known.user = user;
    return false;
  }
  const slot: Slot = { user };
  slots.set(socket, slot);
  socket.on('timeout', () => slot.user?.onIdle());
  socket.on('resume', () => slot.user?.onResume());
  socket.prependListener('close', () => slot.user?.onSocketClose());
  return true;
}

/** Ends the use of a connection, unless another request uses it already. */
export function leaveConnection(socket: Socket, user: ConnectionUser): void {
  const slot = slots.get(socket);
  if (slot?.user === user) slot.user = null;
}
