import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * How long an idle upstream connection is kept. Where the server hints at a shorter time (`Keep-Alive: timeout=N`),
 * node:http lets go a second before it, so that no request is sent into a connection that is just being closed.
 */
const IDLE_MS = 4_000;
/** How many requests may run at one provider at a time; more wait for a connection. */
export const MAX_SOCKETS = 1_024;
const MAX_IDLE_SOCKETS = 64;

/**
 * One provider's connections. A connection that receives bytes while idle is dropped, so that an answer nobody asked
 * for is never taken for the next request's (CVE-2026-48931).
 */
export class KeepAliveHttpAgent extends HttpAgent {
  constructor(lookup: LookupFunction) {
    super({ lookup, keepAlive: true, scheduling: 'lifo', timeout: IDLE_MS });
    bound(this);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return rest(socket, super.keepSocketAlive(socket));
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    socket.off('data', dropIdle);
    super.reuseSocket(socket, request);
  }
}

/** The same for TLS; certificates are verified whatever the environment says. */
export class KeepAliveHttpsAgent extends HttpsAgent {
  constructor(lookup: LookupFunction) {
    super({ lookup, keepAlive: true, scheduling: 'lifo', timeout: IDLE_MS, rejectUnauthorized: true });
    bound(this);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return rest(socket, super.keepSocketAlive(socket));
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    socket.off('data', dropIdle);
    super.reuseSocket(socket, request);
  }
}

/** Set here, not among the options, which node:http copies for every request. */
function bound(agent: HttpAgent): void {
  agent.maxSockets = MAX_SOCKETS;
  agent.maxFreeSockets = MAX_IDLE_SOCKETS;
}

/** `mayKeep` is node:http's own verdict; its type says void, older versions return true. */
function rest(socket: Duplex, mayKeep: unknown): boolean {
  if (mayKeep === false || socket.readableLength > 0) return false;
  socket.on('data', dropIdle);
  return true;
}

function dropIdle(this: Duplex): void {
  this.destroy();
}
