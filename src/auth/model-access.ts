import type { ApiKey, User } from '../store/entities.ts';

/** Model ids; an entry that ends in `*` allows all ids that start with the rest of it. null: all models. */
export type ModelList = readonly string[] | null;

/** True if a list allows a model. Ids are case-sensitive. */
export function mayUseModel(models: ModelList, modelId: string): boolean {
  if (models === null) return true;
  for (const entry of models) {
    if (entry === modelId || (isPattern(entry) && modelId.startsWith(entry.slice(0, -1)))) return true;
  }
  return false;
}

/** True if `wide` allows everything that `narrow` allows. */
export function isWithin(narrow: ModelList, wide: ModelList): boolean {
  if (wide === null) return true;
  return narrow === null ? wide.includes('*') : narrow.every((entry) => isCovered(entry, wide));
}

/**
 * True if a key may use a model: the key's list and its user's list must both allow it. A user's key works only while
 * that user exists and is enabled. `user` is the user with the id `key.userId`, or null.
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
