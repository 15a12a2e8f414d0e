import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import type { AttemptEntry, CallEntry, CallOutcome } from '../../src/usage/call-entry.ts';
import type { Usage } from '../../src/usage/usage.ts';
import type { Random } from './fuzz-random.ts';

const USAGE: Usage = {
  promptTokens: 11,
  cachedTokens: 3,
  cacheWriteTokens: null,
  completionTokens: 7,
  reasoningTokens: 0,
  audioSeconds: null,
  images: null,
  costNanoUsd: null,
  isEstimated: false,
};

/** What a call used, but for the fields that are given nothing particular. */
export function makeUsage(fields: Partial<Usage> = {}): Usage {
  return { ...USAGE, ...fields };
}

/** As `makeUsage`. */
export function makeAttempt(fields: Partial<AttemptEntry> = {}): AttemptEntry {
  return {
    providerId: 'up',
    upstreamModel: 'upstream-m',
    keyId: 'pk_1',
    keyHint: 'sk-1...abcd',
    status: 200,
    result: 'ok',
    code: null,
    ms: 40,
    ...fields,
  };
}

/** A call of the key `key_1` that went well; as `makeUsage`. */
export function makeEntry(fields: Partial<CallEntry> & Pick<CallEntry, 'id'>): CallEntry {
  return {
    endedAtMs: Date.UTC(2026, 10, 30, 12),
    endpoint: 'embeddings',
    keyId: 'key_1',
    keyName: 'Key one',
    userId: null,
    userName: null,
    modelId: 'm',
    providerId: 'up',
    upstreamModel: 'upstream-m',
    stream: false,
    status: 200,
    isCall: true,
    isAdmitted: true,
    outcome: 'ok',
    code: null,
    ms: 60,
    ttftMs: 50,
    usage: makeUsage(),
    costNanoUsd: 1_500_000,
    price: {
      price: { ...UNKNOWN_PRICE, inputPerMTok: 3, outputPerMTok: 15 },
      source: 'own',
    },
    attempts: [makeAttempt()],
    clientAddress: '203.0.113.7',
    ...fields,
  };
}

/** The `number`-th of many different entries; four keys of two users, five models, three providers. */
export function makeRandomEntry(number: number, random: Random): CallEntry {
  const key = random.int(5);
  const provider = `p${random.int(3)}`;
  const outcome = random.pick<CallOutcome>([
    'ok',
    'ok',
    'clientErrors',
    'providerErrors',
    'limited',
    'broken',
  ]);
  return makeEntry({
    id: `req_${number.toString(16).padStart(10, '0')}`,
    endedAtMs: Date.UTC(2026, 0, 1) + number * 1000,
    endpoint: random.pick(['embeddings', 'responses', 'moderations']),
    keyId: key === 4 ? null : `key_${key}`,
    keyName: key === 4 ? null : `Name ${key}`,
    userId: key < 2 ? 'anna' : key === 4 ? 'bert' : null,
    userName: key < 2 ? 'Anna' : key === 4 ? 'Bert' : null,
    modelId: random.chance(0.01) ? null : random.pick(['gpt', 'gpt-mini', 'claude', 'Ünïcode "m"', 'llama']),
    providerId: provider,
    outcome,
    isCall: random.chance(0.95),
    usage: random.chance(0.2) ? null : makeUsage({ promptTokens: random.int(5000) }),
    attempts: Array.from({ length: random.int(3) }, () => makeAttempt({ providerId: provider })),
  });
}
