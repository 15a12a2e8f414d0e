import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ERRORS, type ErrorName } from '../errors.ts';
import { baseHeaders } from './headers.ts';

export type Listener = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) => void;

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
/** node:http drops what comes after the limit without a word, so a request that reaches it is refused. */
const MAX_HEADERS = 200;
const MAX_REQUESTS_PER_SOCKET = 100_000;

/**
 * Makes the HTTP server with all its bounds; it does not listen. Messages that must not reach a handler (two Hosts, an
 * odd Transfer-Encoding, a broken head) are answered here and their connection is closed.
 */
export function createHttpServer(listener: Listener, requestId: () => string): Server {
  const turnAway = (req: IncomingMessage, refusal: Refusal): void =>
    refuse(req.socket, { refusal, requestId: requestId(), isHead: req.method === 'HEAD' });
  const accept = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void => {
    if (req.rawHeaders.length >= 2 * MAX_HEADERS) turnAway(req, 'headers_too_large');
    else if (isAmbiguous(req)) turnAway(req, 'invalid_request_target');
    else listener(req, res, expectsContinue);
  };
  const server = createServer({ ...BOUNDS, keepAlive: true, noDelay: true, joinDuplicateHeaders: false });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
  server.on('request', (req, res) => accept(req, res, false));
  server.on('checkContinue', (req, res) => accept(req, res, true));
  server.on('clientError', (error: ParseError, socket) => {
    const isHead = error.rawPacket?.subarray(0, 5).toString('latin1') === 'HEAD ';
    refuse(socket as Socket, { refusal: kindOf(error.code), requestId: requestId(), isHead });
  });
  return server;
}

/** Framing that two HTTP parsers may read differently (RFC 9112 sections 3.2, 6.1): refused, never repaired. */
function isAmbiguous(req: IncomingMessage): boolean {
  let hosts = 0;
  const { rawHeaders } = req;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  const encoding = req.headers['transfer-encoding'];
  if (hosts > 1) return true;
  return encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || req.httpVersion === '1.0');
}

type Refusal = 'invalid_request_target' | 'request_timeout' | 'headers_too_large';

function kindOf(code: string | undefined): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'invalid_request_target';
}

const REFUSALS: Record<Refusal, { status: string; error: ErrorName; message: string }> = {
  invalid_request_target: {
    status: '400 Bad Request',
    error: 'invalid_request_target',
    message: 'The request is malformed HTTP.',
  },
  headers_too_large: {
    status: '431 Request Header Fields Too Large',
    error: 'invalid_request_target',
    message: 'The headers of the request are more than 200 or larger than 16 KB.',
  },
  request_timeout: {
    status: '408 Request Timeout',
    error: 'request_timeout',
    message: 'The head of the request came too slowly.',
  },
};

/** What node:http hands to `clientError`. */
type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

interface RefuseOptions {
  readonly refusal: Refusal;
  readonly requestId: string;
  /** The answer to HEAD has no body (RFC 9110 section 9.3.2). */
  readonly isHead: boolean;
}

/** Answers on the bare socket: for these messages node:http has no response object. */
function refuse(socket: Socket, options: RefuseOptions): void {
  const { refusal, requestId, isHead } = options;
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const { status, error, message } = REFUSALS[refusal];
  const { type, code } = ERRORS[error];
  const body = JSON.stringify({ error: { message, type, param: null, code } });
  const head = [`HTTP/1.1 ${status}`, 'content-type: application/json', 'connection: close'];
  const base = baseHeaders(requestId);
  for (let index = 0; index < base.length; index += 2) head.push(`${base[index]}: ${base[index + 1]}`);
  head.push(`content-length: ${Buffer.byteLength(body)}`, '', isHead ? '' : body);
  socket.end(head.join('\r\n'), () => socket.destroy());
}
