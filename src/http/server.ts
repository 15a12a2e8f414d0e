import {
  createServer,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { ConnectionGate, type Listener } from './connection-gate.ts';

/** Every bound of a connection, in one place. Bodies have timers of their own, see body.ts. */
const BOUNDS = {
  /** Idle connections outlive the balancers' own idle time (ALB 60 s, nginx 75 s), so that they never race. */
  keepAliveTimeout: 90_000,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  requestTimeout: 0,
  maxHeaderSize: 16_384,
} as const;
const MAX_CONNECTIONS = 4_096;
const MAX_HEADERS = 200;
const MAX_REQUESTS_PER_SOCKET = 100_000;

type AnswerHead = OutgoingHttpHeaders | OutgoingHttpHeader[];

export interface HttpServerOptions {
  readonly listener: Listener;
  readonly requestId: () => string;
  /** True once connections are to end: each answer that begins from then on says so. */
  readonly isDraining: () => boolean;
}

/**
 * Makes the HTTP server with all its bounds; it does not listen. Messages that are no sound HTTP are answered here, see
 * `ConnectionGate`.
 */
export function createHttpServer({ listener, requestId, isDraining }: HttpServerOptions): Server {
  const gate = new ConnectionGate({ listener, requestId, maxHeaders: MAX_HEADERS });
  // At the head of the answer, not at the request: one that came before the drain may be answered in it.
  class Answer extends ServerResponse {
    override writeHead(status: number, reason?: string | AnswerHead, head?: AnswerHead): this {
      if (isDraining()) this.shouldKeepAlive = false;
      if (typeof reason === 'string') return super.writeHead(status, reason, head);
      return super.writeHead(status, reason ?? head);
    }
  }
  const server = createServer({
    ...BOUNDS,
    ServerResponse: Answer,
    keepAlive: true,
    noDelay: true,
    joinDuplicateHeaders: false,
    // A missing Host is refused by the gate, in our own words.
    requireHostHeader: false,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
  server.on('request', (req, res) => gate.accept(req, res, false));
  server.on('checkContinue', (req, res) => gate.accept(req, res, true));
  // Other expectations may be ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', (req, res) => gate.accept(req, res, false));
  server.on('clientError', (error, socket) => gate.fail(error, socket as Socket));
  return server;
}
