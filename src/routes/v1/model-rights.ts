import { isExpired } from '../../auth/api-keys.ts';
import { requireStillSignedIn } from '../../auth/credentials.ts';
import { keyMayUseModel, mayUseModel } from '../../auth/model-access.ts';
import { HttpError } from '../../errors.ts';
import type { FoundModel } from '../../gateway/routing.ts';
import { hasUnpricedTarget } from '../../gateway/target-prices.ts';
import { shownText } from '../../shown-text.ts';
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

/** The current state by which rights are checked. */
export interface CurrentState {
  readonly view: ConfigView;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** True if the principal may use certain models only. */
export function isRestricted(principal: Principal): boolean {
  if (principal.kind === 'key')
    return principal.key.models !== null || (principal.user?.models ?? null) !== null;
  return principal.kind === 'user' && principal.user.models !== null;
}

/**
 * Checks that a principal may use a model. Rights are checked as they are now, because a slow body takes minutes and rights may
 * have been withdrawn since the guard looked.
 * @throws HttpError `model_not_allowed`; `invalid_api_key` or `not_signed_in` if the principal is no longer valid.
 */
export function requireModel(principal: Principal, modelId: string, state: CurrentState): Principal {
  const current = requireCurrent(principal, state);
  if (mayUse(current, modelId)) return current;
  throw new HttpError(
    'model_not_allowed',
    `Your key may not use the model \`${modelId}\`. GET /v1/models lists the models it may use.`,
    {
      param: 'model',
    },
  );
}

/**
 * Refuses a model without a price to keys and users, where the settings say so. The master key and the admin may use it.
 * @throws HttpError `model_not_priced`.
 */
export function requirePrice(principal: Principal, modelId: string, priced: PricedModel): void {
  if (priced.view.settings.unpricedModels !== 'refuse') return;
  if (principal.kind !== 'key' && principal.kind !== 'user') return;
  if (!hasUnpricedTarget({ ...priced, modelId })) return;
  throw new HttpError(
    'model_not_priced',
    `The model \`${shownText(modelId)}\` has no price, and this server refuses such models. Ask the administrator to enter its price.`,
    { param: 'model' },
  );
}

interface PricedModel {
  readonly found: FoundModel;
  readonly view: ConfigView;
}

/**
 * The principal with its current records. Records are never mutated, so the same object means that nothing changed.
 * @throws HttpError `invalid_api_key`, `not_signed_in`.
 */
export function requireCurrent(principal: Principal, { view, nowMs }: CurrentState): Principal {
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
