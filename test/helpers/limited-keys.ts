import { digestKey } from '../../src/auth/api-keys.ts';
import type { Settlement } from '../../src/limits/account.ts';
import type { Reservation } from '../../src/limits/limits.ts';
import type { ApiKey, Limits } from '../../src/store/entities.ts';
import { NO_LIMITS } from '../../src/store/limit-rules.ts';
import type { AppUnderTest } from './start-app.ts';

/** Limits of which only some are set. */
export function makeLimits(limits: Partial<Limits>): Limits {
  return { ...NO_LIMITS, ...limits };
}

/** The record of a key. */
export function recordOf({ services }: AppUnderTest, key: string): ApiKey {
  const record = services.store.config.view().apiKeyByDigest.get(digestKey(key));
  if (record === undefined) throw new Error('There is no such key.');
  return record;
}

/** Begins a call with a key, as if it had been sent over HTTP. */
export function beginCall(app: AppUnderTest, key: string): Reservation {
  const record = recordOf(app, key);
  const user = record.userId === null ? null : app.services.store.config.view().users.get(record.userId);
  const request = { key: record, user: user ?? null, tokens: 0, costNanoUsd: 0 };
  const reservation = app.services.limits.admit(request);
  if (reservation instanceof Promise) throw new Error('The limits are asked for elsewhere.');
  return reservation;
}

/** Makes a call with a key that used what is given. */
export function makeCall(app: AppUnderTest, key: string, used: Settlement): void {
  app.services.limits.settle(beginCall(app, key), used);
}
