/**
 * `untested`: nothing is known of the last 24 hours. `resting`: it is not asked for a while, because it refused, failed or
 * was busy.
 */
export type ProviderState = 'untested' | 'ok' | 'slow' | 'failing' | 'resting';

/** `refused`: the provider does not accept the key. `unreadable`: the stored key cannot be decrypted. */
export type KeyState = ProviderState | 'refused' | 'unreadable';

/** The last failure of a provider or a key. */
export interface LastError {
  /** ISO 8601. */
  readonly at: string;
  /** null: there was no response. */
  readonly status: number | null;
  readonly code: string | null;
  /** What happened, without secrets. */
  readonly message: string;
}

/** How a provider works, from its attempts and tests. Times are ISO 8601. */
export interface ProviderHealth {
  readonly state: ProviderState;
  /** When the state began; null: not known. */
  readonly since: string | null;
  readonly restingUntil: string | null;
  readonly requests5m: number;
  /** The caller's own mistakes are not counted. */
  readonly errors5m: number;
  /** The time to the first byte; null: not known. */
  readonly ttftMs: { readonly p50: number | null; readonly p95: number | null };
  readonly lastSuccessAt: string | null;
  readonly lastError: LastError | null;
}

/** How a key works. Times are ISO 8601. */
export interface KeyHealth {
  readonly state: KeyState;
  readonly restingUntil: string | null;
  readonly lastUsedAt: string | null;
  readonly lastError: LastError | null;
}

/** What a test in the panel showed. */
export interface TestEvidence {
  readonly providerId: string;
  /** The key that was sent; null: none. */
  readonly keyId: string | null;
  /** How long the provider took to respond, or to fail. */
  readonly ms: number;
  /** null: the provider works. */
  readonly error: Omit<LastError, 'at'> | null;
}
