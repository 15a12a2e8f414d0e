import { MASTER_ID, MASTER_NAME, type Principal } from '../store/entities.ts';
import type { CallEntry, CallOutcome, PriceUsed } from '../usage/call-entry.ts';
import { costOfCall, priceOf } from '../usage/prices.ts';
import type { ClosedRecord } from './record.ts';

/** The entry for the books of a finished request; null if it was to no model endpoint. */
export function callEntryOf(closed: ClosedRecord): CallEntry | null {
  const { endpoint, principal, target, usage } = closed;
  if (endpoint === null) return null;
  const { keyId, keyName, userId, userName } = ownerOf(principal);
  const price = usage === null ? null : priceUsed(closed);
  return {
    id: closed.requestId,
    endedAtMs: closed.endedAtMs,
    endpoint,
    keyId,
    keyName,
    userId,
    userName,
    modelId: closed.modelId,
    providerId: target?.provider.id ?? null,
    upstreamModel: target?.upstreamModel ?? null,
    stream: closed.stream,
    status: closed.status,
    isCall: isCall(closed),
    isAdmitted: closed.reservation !== null,
    outcome: outcomeOf(closed),
    code: closed.code,
    ms: closed.ms,
    ttftMs: closed.ttftMs,
    usage,
    costNanoUsd: costOfCall(price, usage),
    price,
    attempts: closed.attempts,
    clientAddress: closed.clientAddress,
  };
}

/** The price of the call; null: none is known, nobody was asked, or the provider told the cost. */
function priceUsed({ target, modelPrice, usage }: ClosedRecord): PriceUsed | null {
  if (target === null || usage?.costNanoUsd != null) return null;
  const { provider, upstreamModel, price } = target;
  return priceOf({ own: price, modelPrice, provider: provider.record, upstreamModel });
}

type Owner = Pick<CallEntry, 'keyId' | 'keyName' | 'userId' | 'userName'>;

const NOBODY: Owner = { keyId: null, keyName: null, userId: null, userName: null };
const MASTER: Owner = { keyId: MASTER_ID, keyName: MASTER_NAME, userId: null, userName: null };

function ownerOf(principal: Principal): Owner {
  switch (principal.kind) {
    case 'master':
      return MASTER;
    case 'key': {
      const { key, user } = principal;
      return { keyId: key.id, keyName: key.name, userId: user?.id ?? null, userName: user?.name ?? null };
    }
    case 'user':
      return { ...NOBODY, userId: principal.user.id, userName: principal.user.name };
    default:
      return NOBODY;
  }
}

/** False for strangers, and for requests that were refused before any limit: no right, or no such model. */
function isCall({ principal, status, code, attempts }: ClosedRecord): boolean {
  if (principal.kind === 'nobody') return false;
  if (attempts.length > 0) return true;
  return status !== 401 && status !== 403 && !(status === 404 && code === 'model_not_found');
}

function outcomeOf(closed: ClosedRecord): CallOutcome {
  const { outcome, status, attempts, reservation, ttftMs } = closed;
  if (outcome === 'ok' || outcome === 'cancelled') return outcome;
  if (ttftMs !== null && outcome !== 'error') return 'broken';
  const last = attempts[attempts.length - 1];
  if (last !== undefined) return last.result === 'caller' ? 'clientErrors' : 'providerErrors';
  if (reservation !== null) return status < 500 && status !== 429 ? 'clientErrors' : 'providerErrors';
  if (status === 429) return 'limited';
  return status < 500 ? 'clientErrors' : 'providerErrors';
}
