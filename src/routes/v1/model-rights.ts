import { isExpired } from '../../auth/api-keys.ts';
import { requireStillSignedIn } from '../../auth/credentials.ts';
import { keyMayUseModel, mayUseModel } from '../../auth/model-access.ts';
import { HttpError } from '../../errors.ts';
import type { Principal } from '../../store/entities.ts';
import type { ConfigView } from '../../store/store.ts';

/** Whether a principal may use a model. */
export function mayUse(principal: Principal, modelId: string): boolean {
  switch (principal.kind) {
    case 'master':
    case 'admin':
      return true;
    case 'key':
      return keyMayUseModel(principal.key, principal.user, modelId);
    case 'user':
      return mayUseModel(principal.user.models, modelId);
    case 'nobody':
      return false;
  }
}

/** What rights are judged by: the configuration, and the time in milliseconds since the epoch. */
export interface Present {
  readonly view: ConfigView;
  readonly nowMs: number;
}

/** True where some models are out of a principal's reach. */
export function isRestricted(principal: Principal): boolean {
  if (principal.kind === 'key')
    return principal.key.models !== null || (principal.user?.models ?? null) !== null;
  return principal.kind === 'user' && principal.user.models !== null;
}

/**
 * Looked at again after the body, in which rights may have been withdrawn: a slow one takes minutes.
 * @throws HttpError `model_not_allowed`; `invalid_api_key`, `not_signed_in` for who is no longer known.
 */
export function requireModel(principal: Principal, modelId: string, present: Present): void {
  if (mayUse(currentOf(principal, present), modelId)) return;
  throw new HttpError(
    'model_not_allowed',
    `Your key may not use the model \`${modelId}\`. GET /v1/models lists those it may.`,
    {
      param: 'model',
    },
  );
}

/** The principal's present record; records are never mutated, so the same object means that nothing changed. */
function currentOf(principal: Principal, { view, nowMs }: Present): Principal {
  if (principal.kind === 'key') {
    const key = view.apiKeyByDigest.get(principal.key.digest);
    const user = principal.user === null ? null : view.users.get(principal.user.id);
    const isValid = key?.enabled === true && !isExpired(key.expiresAt, nowMs);
    if (isValid && key === principal.key && user === principal.user) return principal;
    if (isValid && (user === null || user?.enabled === true)) return { kind: 'key', key, user };
    throw new HttpError(
      'invalid_api_key',
      'The API key expired, or was switched off or deleted, while its request arrived.',
    );
  }
  if (principal.kind !== 'user') return principal;
  return { ...principal, user: requireStillSignedIn(view.users, principal.user) };
}

/** Who makes a request, for what two keys do not share, whoever owns them. */
export function callerOf(principal: Principal): string {
  return principal.kind === 'key' ? `key:${principal.key.id}` : holderOf(principal);
}

/** The holder that memory and connections are counted for, so that one greedy client cannot shut out the others. */
export function holderOf(principal: Principal): string {
  if (principal.kind === 'key')
    return principal.user === null ? `key:${principal.key.id}` : `user:${principal.user.id}`;
  return principal.kind === 'user' ? `user:${principal.user.id}` : principal.kind;
}
