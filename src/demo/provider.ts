import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { HttpError } from '../errors.ts';
import { requireApiKey } from './authorization.ts';
import { parseJsonBody, readBody } from './body.ts';
import { type DemoCall, shortSha256 } from './call.ts';
import { missingParameter, optionalString } from './fields.ts';
import { readForm } from './form.ts';
import { listModels, requireModel, retrieveModel } from './models.ts';
import { sendAnswer, sendError, sendJson } from './reply.ts';
import { DEMO_ROUTES, type DemoRoute } from './routes.ts';

export interface DemoProviderOptions {
  /** The key that callers must send; null lets everybody in. */
  readonly apiKey: string | null;
  /** The pause between streamed tokens; 25 if not given. */
  readonly tokenDelayMs?: number;
  /** The current time in milliseconds; `Date.now` if not given. */
  readonly now?: () => number;
}

const DEFAULT_TOKEN_DELAY_MS = 25;
const STALL_TIMEOUT_MS = 60_000;
const MODELS_PATH = '/v1/models';

/**
 * Makes the built-in demo provider: an OpenAI-compatible server with every endpoint that the proxy relays, which
 * needs no account and no network and gives the same answer to the same request (OpenAI API reference). It
 * does not listen yet.
 */
export function createDemoProvider(options: DemoProviderOptions): Server {
  let requestCount = 0;
  const timeouts = { headersTimeout: 10_000, requestTimeout: 120_000, keepAliveTimeout: 90_000 };
  return createServer(timeouts, (req, res) => {
    requestCount += 1;
    res.setHeader('x-request-id', `req_${shortSha256(String(requestCount), 32)}`);
    res.setHeader('openai-version', '2020-10-01');
    // A client that takes nothing, or sends nothing, for this long is cut off.
    res.setTimeout(STALL_TIMEOUT_MS, () => res.destroy());
    res.on('error', () => res.destroy());
    answer(req, res, options).catch((error: unknown) => sendError(res, error));
  });
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  options: DemoProviderOptions,
): Promise<void> {
  requireApiKey(req.headers.authorization, options.apiKey);
  const path = (req.url ?? '').split('?', 1)[0] ?? '';
  if (path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`)) {
    requireMethod(req, 'GET');
    const id = path.slice(MODELS_PATH.length + 1);
    return sendJson(res, 200, id === '' ? listModels() : retrieveModel(decode(id)));
  }
  const route = DEMO_ROUTES.find((candidate) => candidate.path === path);
  if (route === undefined) throw new HttpError('unknown_url', 'The demo provider has no such endpoint.');
  requireMethod(req, 'POST');
  const call = await readCall(req, route, options.now ?? Date.now);
  await sendAnswer(res, route.answer(call), options.tokenDelayMs ?? DEFAULT_TOKEN_DELAY_MS);
}

async function readCall(req: IncomingMessage, route: DemoRoute, now: () => number): Promise<DemoCall> {
  const bytes = await readBody(req);
  const contentType = req.headers['content-type'];
  const isForm = route.bodies.includes('form') && !(route.bodies.includes('json') && isJson(contentType));
  const { fields, files } = isForm
    ? await readForm(bytes, contentType)
    : { fields: parseJsonBody(bytes, contentType), files: [] };
  const model = optionalString(fields, 'model') ?? route.defaultModel;
  if (model === null) throw missingParameter('model');
  requireModel(model, route.task);
  const createdSeconds = Math.floor(now() / 1000);
  return { body: fields, files, model, id: shortSha256(bytes, 24), createdSeconds };
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('application/json') === true;
}

function requireMethod(req: IncomingMessage, method: 'GET' | 'POST'): void {
  if (req.method === method) return;
  throw new HttpError('method_not_supported', `Use ${method} here.`, { headers: { allow: method } });
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
