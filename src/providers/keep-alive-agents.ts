import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * How long an idle upstream connection is kept. If the server announces a shorter time (`Keep-Alive: timeout=N`), node:http
 * closes the connection a second earlier, so that no request is sent into a connection that is being closed.
 */
const IDLE_MS = 4_000;
/** How many connections of one agent may be open at a time; further requests wait. */
export const MAX_SOCKETS = 1_024;
const MAX_IDLE_SOCKETS = 64;

/**
 * Creates the pool of one provider's connections. A connection that receives bytes while idle is dropped, so an unsolicited
 * response is never taken for the response to the next request (CVE-2026-48931). TLS verifies certificates even if the
 * environment turns that off.
 */
export function createAgent(isTls: boolean, lookup: LookupFunction): HttpAgent {
  const options = { lookup, keepAlive: true, scheduling: 'lifo', timeout: IDLE_MS } as const;
  const agent = newAgent(isTls, options);
  // Not passed as options, because node:http copies an agent's options for every request.
  agent.maxSockets = MAX_SOCKETS;
  agent.maxFreeSockets = MAX_IDLE_SOCKETS;
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  const reuseSocket = agent.reuseSocket.bind(agent);
  agent.keepSocketAlive = (socket) => watchIdle(socket, keepSocketAlive(socket));
  agent.reuseSocket = (socket, request) => {
    socket.off('data', dropIdle);
    reuseSocket(socket, request);
  };
  return agent;
}

/** Creates the agent for requests that must not meet a connection that the provider is about to close. */
export function createFreshAgent(isTls: boolean, lookup: LookupFunction): HttpAgent {
  const agent = newAgent(isTls, { lookup, keepAlive: false });
  // With `maxSockets`, node:http would hand a used connection on to a waiting request.
  agent.maxTotalSockets = MAX_SOCKETS;
  return agent;
}

function newAgent(isTls: boolean, options: AgentOptions & { readonly lookup: LookupFunction }): HttpAgent {
  return isTls ? new HttpsAgent({ ...options, rejectUnauthorized: true }) : new HttpAgent(options);
}

/**
 * Decides whether to keep an idle socket, and watches a kept socket for unsolicited bytes. `mayKeep` is node:http's decision;
 * its type says void, older versions return true.
 */
function watchIdle(socket: Duplex, mayKeep: unknown): boolean {
  if (mayKeep === false || socket.readableLength > 0) return false;
  socket.on('data', dropIdle);
  return true;
}

function dropIdle(this: Duplex): void {
  this.destroy();
}
