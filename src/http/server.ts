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

/** Every bound of connections, in one place. Bodies have timers of their own, see body.ts. */
const BOUNDS = {
  /** All that are open at a time. */
  connections: 4_096,
  /** Per client address; IPv6 per /64. Loopback and private addresses, where proxies are, are exempt. */
  connectionsOfAddress: 512,
  requestsOfConnection: 100_000,
  headers: 200,
  /** A head, all headers together. */
  headBytes: 16_384,
  headMs: 10_000,
  /** Bytes of requests that wait on one connection for earlier answers: about a hundred small requests. */
  waitingBytes: 256 * 1024,
  /** A client that takes no written byte for this long is disconnected. */
  writeStallMs: 60_000,
  /** Idle connections outlive the balancers' own idle time (ALB 60 s, nginx 75 s), so that they never race. */
  idleMs: 90_000,
  /** How often node:http looks for heads that are late. */
  checkMs: 2_000,
} as const;

type AnswerHead = OutgoingHttpHeaders | OutgoingHttpHeader[];

export interface HttpServerOptions {
  readonly listener: Listener;
  readonly requestId: () => string;
  /** True once connections are to end: each answer that begins from then on says so. */
  readonly isDraining: () => boolean;
  /** Where the requests that wait on connections are counted. */
  readonly budget: InflightBudget;
  /** For tests; BOUNDS.writeStallMs if absent. */
  readonly writeStallMs?: number;
  /** The address at the other end; the socket's own where it is absent, undefined once it is closed. */
  readonly peerOf?: (socket: Socket) => string | undefined;
}

/**
 * Makes the HTTP server with all its bounds; it does not listen. Messages that are no sound HTTP are answered here, see
 * `ConnectionGate`.
 */
export function createHttpServer(options: HttpServerOptions): Server {
  const { isDraining } = options;
  // At the head of the answer, not at the request: one that came before the drain may be answered in it.
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
    // A missing Host is refused by the gate, in our own words.
    requireHostHeader: false,
  });
  server.maxConnections = BOUNDS.connections;
  server.maxHeadersCount = BOUNDS.headers;
  server.maxRequestsPerSocket = BOUNDS.requestsOfConnection;
  admitConnections(server, options);
  return server;
}

/** Counts, watches and gates each connection from its beginning to its end. */
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
