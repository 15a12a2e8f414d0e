import {
  createServer,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { FairShare } from '../fair-share.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import { isPrivate, networkOf, normalizeAddress } from '../ip-address.ts';
import { ConnectionGate, type Listener } from './connection-gate.ts';
import { WriteWatch } from './write-watch.ts';

/** Every limit of connections. The limits of bodies are in body.ts. */
const BOUNDS = {
  /** Open at the same time. */
  connections: 4_096,
  /** Per client address, for IPv6 per /64. Loopback and private addresses are exempt: proxies connect from there. */
  connectionsOfAddress: 512,
  requestsOfConnection: 100_000,
  headers: 200,
  /** Request line and headers together. */
  headBytes: 16_384,
  headMs: 10_000,
  /** Pipelined requests that wait on one connection: about a hundred small ones. */
  waitingBytes: 256 * 1024,
  /** A client that reads nothing for this long is disconnected. */
  writeStallMs: 60_000,
  /** Longer than the idle times of balancers (ALB 60 s, nginx 75 s), so that the balancer closes first. */
  idleMs: 90_000,
  /** How often node:http checks for late heads. */
  checkMs: 2_000,
} as const;

type AnswerHead = OutgoingHttpHeaders | OutgoingHttpHeader[];

export interface HttpServerOptions {
  readonly listener: Listener;
  readonly requestId: () => string;
  /** True once connections must end: every answer that begins from then on closes its connection. */
  readonly isDraining: () => boolean;
  /** Counts the memory of requests that wait on connections. */
  readonly budget: InflightBudget;
  /** For tests; BOUNDS.writeStallMs if absent. */
  readonly writeStallMs?: number;
  /** For tests: the address of the client, undefined once the socket is closed; `socket.remoteAddress` if absent. */
  readonly peerOf?: (socket: Socket) => string | undefined;
}

/** Makes the HTTP server with all its limits; it does not listen yet. `ConnectionGate` answers malformed messages. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { isDraining } = options;
  // Decided at the head of the answer: a request from before the drain may be answered during it.
  class Answer extends ServerResponse {
    override writeHead(status: number, reason?: string | AnswerHead, head?: AnswerHead): this {
      if (isDraining()) this.shouldKeepAlive = false;
      if (typeof reason === 'string') return super.writeHead(status, reason, head);
      return super.writeHead(status, reason ?? head);
    }
  }
  const server = createServer({
    keepAliveTimeout: BOUNDS.idleMs,
    headersTimeout: BOUNDS.headMs,
    connectionsCheckingInterval: BOUNDS.checkMs,
    requestTimeout: 0,
    maxHeaderSize: BOUNDS.headBytes,
    ServerResponse: Answer,
    keepAlive: true,
    noDelay: true,
    joinDuplicateHeaders: false,
    // The gate refuses a missing Host, in our envelope.
    requireHostHeader: false,
  });
  server.maxConnections = BOUNDS.connections;
  server.maxHeadersCount = BOUNDS.headers;
  server.maxRequestsPerSocket = BOUNDS.requestsOfConnection;
  admitConnections(server, options);
  return server;
}

/** Counts each connection and puts it under the gate and the write watch, until it closes. */
function admitConnections(server: Server, options: HttpServerOptions): void {
  const { listener, requestId, budget, peerOf = remoteAddress } = options;
  const gate = new ConnectionGate({
    listener,
    requestId,
    budget,
    maxHeaders: BOUNDS.headers,
    maxWaitingBytes: BOUNDS.waitingBytes,
  });
  const addresses = new FairShare(BOUNDS.connectionsOfAddress);
  const watch = new WriteWatch(options.writeStallMs ?? BOUNDS.writeStallMs);
  server.on('connection', (socket: Socket) => {
    const peer = normalizeAddress(peerOf(socket) ?? '') ?? '';
    const network = networkOf(peer);
    const isCounted = !isPrivate(peer);
    if (isCounted && !addresses.take(network)) {
      socket.destroy();
      return;
    }
    gate.open(socket, `address:${network}`);
    watch.add(socket);
    socket.once('close', () => {
      gate.close(socket);
      watch.remove(socket);
      if (isCounted) addresses.give(network);
    });
  });
  server.on('listening', () => watch.start());
  server.on('close', () => watch.stop());
  server.on('request', (req, res) => gate.accept(req, res, false));
  server.on('checkContinue', (req, res) => gate.accept(req, res, true));
  // Other expectations may be ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', (req, res) => gate.accept(req, res, false));
  server.on('clientError', (error, socket) => gate.fail(error, socket as Socket));
}

function remoteAddress(socket: Socket): string | undefined {
  return socket.remoteAddress;
}
