import type { Principal } from '../store/entities.ts';

/** Identifies the caller, for idempotency keys: two keys of one user are two callers. */
export function callerOf(principal: Principal): string {
  return principal.kind === 'key' ? `key:${principal.key.id}` : consumerOf(principal);
}

/** The consumer whose share of memory and connections counts: all keys of a user share one. */
export function consumerOf(principal: Principal): string {
  if (principal.kind === 'key')
    return principal.user === null ? `key:${principal.key.id}` : `user:${principal.user.id}`;
  return principal.kind === 'user' ? `user:${principal.user.id}` : principal.kind;
}
