import { type AttemptEntry, CALL_OUTCOMES, type CallEntry, type PriceUsed } from '../usage/call-entry.ts';
import type { EntryNames } from '../usage/entry-names.ts';
import { createMatcher, type LogMatcher } from '../usage/log-filter.ts';
import type { LogPage } from '../usage/log-pages.ts';
import { toUsd } from '../usage/money.ts';
import type { CallLog } from '../usage/request-log.ts';
import type { Context } from './context.ts';
import { wrong } from './fields.ts';
import { QueryParameters } from './query-parameters.ts';

const LIMIT = { usual: 100, most: 1_000 } as const;

/** The filters of a query. @throws HttpError `invalid_value`. */
export function readMatcher(query: string, names: EntryNames): LogMatcher {
  const parameters = new QueryParameters(query);
  const filter = {
    fromMs: parameters.time('from'),
    toMs: parameters.time('to'),
    keyId: parameters.text('key'),
    userId: parameters.text('user'),
    modelId: parameters.text('model'),
    providerId: parameters.text('provider'),
    endpoint: parameters.text('endpoint'),
    outcome: parameters.oneOf('outcome', CALL_OUTCOMES),
    search: parameters.text('search'),
  };
  return createMatcher(filter, names);
}

export interface PageOptions {
  readonly requestLog: CallLog;
  readonly names: EntryNames;
  /** Only the entries of this user exist; null: those of everybody. */
  readonly ownUserId: string | null;
}

/** The page of the request log that a query asks for. @throws HttpError `invalid_value`, `server_overloaded`. */
export async function readLogPage(context: Context, options: PageOptions): Promise<LogPage> {
  const { query, signal } = context;
  const { requestLog, names, ownUserId } = options;
  const parameters = new QueryParameters(query);
  const { matches, isPast, needles } = readMatcher(query, names);
  const page = await requestLog.page({
    limit: readLimit(parameters),
    before: parameters.text('before'),
    isVisible: (entry) => ownUserId === null || entry.userId === ownUserId,
    matches,
    isPast,
    needles: ownUserId === null ? needles : [...needles, JSON.stringify(ownUserId)],
    isCancelled: () => signal.aborted,
  });
  if (page === null)
    throw wrong('before', 'must be the id of a request that is still in the log; begin without it');
  return page;
}

function readLimit(parameters: QueryParameters): number {
  const value = parameters.text('limit');
  if (value === null) return LIMIT.usual;
  const limit = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (limit >= 1 && limit <= LIMIT.most) return limit;
  throw wrong('limit', `must be a whole number from 1 to ${LIMIT.most}`);
}

/** What everybody who may see an entry is shown of it. */
function viewBasics(entry: CallEntry, names: EntryNames) {
  const { usage } = entry;
  return {
    id: entry.id,
    at: new Date(entry.endedAtMs).toISOString(),
    endpoint: entry.endpoint,
    keyId: entry.keyId,
    keyName: names.keyName(entry),
    userId: entry.userId,
    userName: names.userName(entry),
    model: entry.modelId,
    provider: entry.providerId,
    stream: entry.stream,
    status: entry.status,
    outcome: entry.outcome,
    code: entry.code,
    ms: entry.ms,
    ttftMs: entry.ttftMs,
    promptTokens: usage?.promptTokens ?? null,
    cachedTokens: usage?.cachedTokens ?? null,
    cacheWriteTokens: usage?.cacheWriteTokens ?? null,
    completionTokens: usage?.completionTokens ?? null,
    reasoningTokens: usage?.reasoningTokens ?? null,
    audioSeconds: usage?.audioSeconds ?? null,
    images: usage?.images ?? null,
    estimated: usage?.isEstimated ?? false,
    costUsd: entry.costNanoUsd === null ? null : toUsd(entry.costNanoUsd),
    price: viewPrice(entry.price),
    clientAddress: entry.clientAddress,
  };
}

function viewPrice(used: PriceUsed | null) {
  return used === null ? null : { ...used.price, source: used.source };
}

/** An entry as the admin sees it. */
export function viewEntry(entry: CallEntry, names: EntryNames) {
  const { clientAddress, ...basics } = viewBasics(entry, names);
  return {
    ...basics,
    upstreamModel: entry.upstreamModel,
    attempts: entry.attempts.map(viewAttempt),
    clientAddress,
  };
}

function viewAttempt({ providerId, keyHint, upstreamModel, status, code, ms }: AttemptEntry) {
  return { provider: providerId, keyHint, upstreamModel, status, code, ms };
}

/** A word such as `rate_limit_exceeded`; providers put whole sentences into `code`, too. */
const CODE = /^[\w.-]{1,64}$/;

/** An entry as its own user sees it: without the provider's keys, its names of models and its texts. */
export function viewOwnEntry(entry: CallEntry, names: EntryNames) {
  const { clientAddress, ...basics } = viewBasics(entry, names);
  const attempts = entry.attempts.map(({ providerId, status, code, ms }) => {
    return { provider: providerId, status, code: shownCode(code), ms };
  });
  return { ...basics, code: shownCode(entry.code), attempts, clientAddress };
}

function shownCode(code: string | null): string | null {
  return code !== null && CODE.test(code) ? code : null;
}
