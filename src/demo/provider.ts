import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { HttpError } from '../errors.ts';
import { ENDPOINTS } from './endpoints.ts';
import { createFailures } from './failures.ts';
import { modelsAnswer } from './models.ts';
import { sendAnswer, sendError } from './reply.ts';
import { readCall } from './request.ts';

export interface DemoProviderOptions {
  /** The key that callers must send; null lets everybody in. */
  readonly apiKey: string | null;
  /** The pause between the records of a stream, in milliseconds; 25 if not given. */
  readonly tokenDelayMs?: number;
  /** Chats fail in turn, see `createFailures`; they succeed if not given. */
  readonly fails?: boolean;
  /** The current time in milliseconds; `Date.now` if not given. */
  readonly now?: () => number;
}

const DEFAULT_TOKEN_DELAY_MS = 25;
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 120_000, keepAliveTimeout: 90_000 };
const STALL_TIMEOUT_MS = 60_000;
const MODELS_PATH = '/v1/models';

/**
 * Creates the built-in demo provider: an OpenAI-compatible server that needs no account and no network, and gives the
 * same answer to the same request (OpenAI API reference). The server does not listen yet.
 */
export function createDemoProvider(options: DemoProviderOptions): Server {
  const fail = options.fails === true ? createFailures() : null;
  return createServer(TIMEOUTS, (req, res) => {
    res.setHeader('x-request-id', `req_${randomBytes(16).toString('hex')}`);
    // A client that neither sends nor takes anything for this long is cut off.
    res.setTimeout(STALL_TIMEOUT_MS, () => res.destroy());
    res.on('error', () => res.destroy());
    answer(req, res, { ...options, fail }).catch((error: unknown) => sendError(res, error));
  });
}

interface AnswerOptions extends DemoProviderOptions {
  readonly fail: ReturnType<typeof createFailures> | null;
}

async function answer(req: IncomingMessage, res: ServerResponse, options: AnswerOptions): Promise<void> {
  requireApiKey(req.headers.authorization, options.apiKey);
  const pauseMs = options.tokenDelayMs ?? DEFAULT_TOKEN_DELAY_MS;
  const path = (req.url ?? '').split('?', 1)[0] ?? '';
  if (path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`)) {
    requireMethod(req, 'GET');
    return sendAnswer(res, modelsAnswer(path.slice(MODELS_PATH.length + 1)), pauseMs);
  }
  const endpoint = ENDPOINTS.find((candidate) => candidate.path === path);
  if (endpoint === undefined) throw new HttpError('unknown_url', 'The demo provider has no such endpoint.');
  requireMethod(req, 'POST');
  const call = await readCall(req, endpoint, (options.now ?? Date.now)());
  const whole = endpoint.answer(call);
  const isFailing = options.fail !== null && endpoint.task === 'chat';
  await sendAnswer(res, isFailing ? options.fail(call, whole) : whole, pauseMs);
}

function requireMethod(req: IncomingMessage, method: 'GET' | 'POST'): void {
  if (req.method === method) return;
  throw new HttpError('method_not_supported', `Use ${method} here.`, { headers: { allow: method } });
}

/** Checks `Authorization: Bearer KEY`. @throws HttpError 401 as OpenAI does: without a code when no key was sent. */
function requireApiKey(header: string | undefined, apiKey: string | null): void {
  if (apiKey === null) return;
  const sent = /^bearer\s+(.+)$/i.exec(header?.trim() ?? '')?.[1];
  const headers = { 'www-authenticate': 'Bearer realm="iPin demo provider"' };
  if (sent === undefined) {
    const message = 'No API key was sent. Use the header Authorization: Bearer KEY.';
    throw new HttpError('missing_api_key', message, { headers });
  }
  if (timingSafeEqual(sha256(sent), sha256(apiKey))) return;
  throw new HttpError('invalid_api_key', 'This is not the API key of the demo provider.', { headers });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
