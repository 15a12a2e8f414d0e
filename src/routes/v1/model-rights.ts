import { keyMayUseModel, mayUseModel } from '../../auth/model-access.ts';
import { HttpError } from '../../errors.ts';
import type { Principal } from '../../store/entities.ts';

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

/** True where some models are out of a principal's reach. */
export function isRestricted(principal: Principal): boolean {
  if (principal.kind === 'key')
    return principal.key.models !== null || (principal.user?.models ?? null) !== null;
  return principal.kind === 'user' && principal.user.models !== null;
}

/** @throws HttpError `model_not_allowed`. */
export function requireModel(principal: Principal, modelId: string): void {
  if (mayUse(principal, modelId)) return;
  throw new HttpError(
    'model_not_allowed',
    `Your key may not use the model \`${modelId}\`. GET /v1/models lists those it may.`,
    {
      param: 'model',
    },
  );
}

/** By whom bytes in flight are counted: one greedy key must not shut out the others. */
export function holderOf(principal: Principal): string {
  if (principal.kind === 'key')
    return principal.user === null ? `key:${principal.key.id}` : `user:${principal.user.id}`;
  return principal.kind === 'user' ? `user:${principal.user.id}` : principal.kind;
}
