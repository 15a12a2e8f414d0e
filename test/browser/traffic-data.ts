import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import type { CallEntry } from '../../src/usage/call-entry.ts';
import { makeAttempt, makeEntry, makeUsage } from '../helpers/entries.ts';
import type { AppUnderTest } from '../helpers/start-app.ts';

const HOUR_MS = 3_600_000;

interface Kind {
  readonly model: string;
  readonly provider: string;
  readonly perHour: number;
  readonly inputPerMTok: number | null;
  readonly outputPerMTok: number | null;
}

const KINDS: readonly Kind[] = [
  { model: 'claude-sonnet-4-5', provider: 'openrouter', perHour: 6, inputPerMTok: 3, outputPerMTok: 15 },
  { model: 'gpt-4o', provider: 'openrouter', perHour: 5, inputPerMTok: 2.5, outputPerMTok: 10 },
  { model: 'llama-3.3-70b', provider: 'groq', perHour: 4, inputPerMTok: 0.59, outputPerMTok: 0.79 },
  { model: 'mistral-large', provider: 'mistral', perHour: 3, inputPerMTok: 0.5, outputPerMTok: 1.5 },
  { model: 'gemini-2.5-flash', provider: 'gemini', perHour: 2, inputPerMTok: 0.3, outputPerMTok: 2.5 },
  { model: 'qwen3:8b', provider: 'ollama', perHour: 2, inputPerMTok: 0, outputPerMTok: 0 },
  { model: 'whisper-large-v3', provider: 'whisper', perHour: 1, inputPerMTok: null, outputPerMTok: null },
];
const KEYS = [
  { keyId: 'key_a', keyName: 'Maria’s laptop', userId: 'maria', userName: 'Maria Sklodowska' },
  { keyId: 'key_b', keyName: 'Home Assistant', userId: null, userName: null },
  { keyId: 'key_c', keyName: 'Newsletter robot', userId: null, userName: null },
  { keyId: null, keyName: null, userId: null, userName: null },
] as const;
const FAILURES: readonly Partial<CallEntry>[] = [
  { status: 502, outcome: 'providerErrors', code: 'upstream_auth_failed' },
  { status: 429, outcome: 'limited', code: 'insufficient_quota', providerId: null, attempts: [] },
  { status: 499, outcome: 'cancelled', code: 'client_closed_request' },
  { status: 400, outcome: 'clientErrors', code: 'invalid_value' },
];

/** Books calls of seven models over some hours up to now, some of them failed, some after several attempts. */
export function addTraffic(app: AppUnderTest, { hours = 30 * 24, nowMs = Date.now() } = {}): void {
  let number = 0;
  for (let hour = hours - 1; hour >= 0; hour--) {
    const weight = 1 + (hour % 7 === 3 ? 1 : 0) - (hour % 24 > 16 ? 0.6 : 0);
    for (const kind of KINDS) {
      const count = Math.round(kind.perHour * weight * (0.5 + ((number * 37) % 100) / 100));
      for (let at = 0; at < count; at++) {
        number += 1;
        const endedAtMs = nowMs - hour * HOUR_MS - ((number * 7919) % 3000) * 100;
        const entry = { ...entryOf(kind, number), endedAtMs };
        app.services.ledger.book(entry);
        if (hour < 36) app.services.requestLog.add(entry);
      }
    }
  }
}

function entryOf(kind: Kind, number: number): CallEntry {
  const { inputPerMTok, outputPerMTok } = kind;
  const prompt = 200 + ((number * 613) % 9000);
  const completion = 20 + ((number * 389) % 900);
  const isPriced = inputPerMTok !== null && outputPerMTok !== null;
  const failure = number % 29 === 0 ? (FAILURES[number % FAILURES.length] ?? {}) : null;
  const ttftMs = 180 + ((number * 271) % 1700);
  const ms = ttftMs + 300 + ((number * 977) % 6000);
  const failed = makeAttempt({
    status: 429,
    result: 'busy',
    code: 'rate_limit_exceeded',
    ms: Math.round(ttftMs / 5),
    providerId: kind.provider,
  });
  const good = makeAttempt({ providerId: kind.provider, upstreamModel: kind.model, ms: ttftMs });
  return makeEntry({
    id: `req_${number.toString(36).padStart(12, '0')}`,
    endpoint: kind.model.startsWith('whisper') ? 'audio/transcriptions' : 'chat/completions',
    ...(KEYS[number % KEYS.length] ?? KEYS[0]),
    modelId: kind.model,
    providerId: kind.provider,
    upstreamModel: kind.model,
    stream: number % 3 !== 0,
    ms,
    ttftMs,
    usage: makeUsage({
      promptTokens: prompt,
      cachedTokens: number % 2 === 0 ? Math.round(prompt / 2) : 0,
      completionTokens: completion,
    }),
    costNanoUsd: isPriced ? Math.round((prompt * inputPerMTok + completion * outputPerMTok) * 1000) : null,
    price: isPriced ? { price: { ...UNKNOWN_PRICE, inputPerMTok, outputPerMTok }, source: 'list' } : null,
    attempts: number % 11 === 0 ? [failed, good] : [good],
    ...(failure === null ? {} : { usage: null, costNanoUsd: null, price: null, ttftMs: null, ...failure }),
  });
}
