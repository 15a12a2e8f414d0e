import type { ApiKey, User } from '../store/entities.ts';

/** Model ids, each of which may end with `*` (all that begin so); null: all models. */
export type ModelList = readonly string[] | null;

/** Tells whether a list allows a model. Ids are compared as they are, case included. */
export function mayUseModel(models: ModelList, modelId: string): boolean {
  if (models === null) return true;
  for (const entry of models) {
    if (entry === modelId || (isPattern(entry) && modelId.startsWith(entry.slice(0, -1)))) return true;
  }
  return false;
}

/** Tells whether everything that `narrow` allows is allowed by `wide`. */
export function isWithin(narrow: ModelList, wide: ModelList): boolean {
  if (wide === null) return true;
  return narrow === null ? wide.includes('*') : narrow.every((entry) => isCovered(entry, wide));
}

/**
 * Tells whether a key may use a model: the key's list and its user's list must both allow it, and a user's key works
 * only while that user exists and is enabled. `user` is the one that `key.userId` names, or null.
 */
export function keyMayUseModel(key: ApiKey, user: User | null, modelId: string): boolean {
  if (key.userId === null) return mayUseModel(key.models, modelId);
  if (user === null || user.id !== key.userId || !user.enabled) return false;
  return mayUseModel(key.models, modelId) && mayUseModel(user.models, modelId);
}

function isPattern(entry: string): boolean {
  return entry.endsWith('*');
}

function isCovered(entry: string, wide: readonly string[]): boolean {
  if (!isPattern(entry)) return mayUseModel(wide, entry);
  const prefix = entry.slice(0, -1);
  return wide.some((other) => isPattern(other) && prefix.startsWith(other.slice(0, -1)));
}
