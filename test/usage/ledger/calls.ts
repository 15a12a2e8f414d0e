import { CALL_OUTCOMES, type CallEntry } from '../../../src/usage/call-entry.ts';
import { NO_USAGE, type Usage } from '../../../src/usage/usage.ts';
import { createRandom, type Random } from '../../helpers/fuzz-random.ts';

/** A successful call that used nothing, but for the fields given. */
export function makeCall(fields: Partial<CallEntry> = {}): CallEntry {
  return {
    id: 'req_1',
    endedAtMs: Date.parse('2026-03-01T12:00:00Z'),
    endpoint: 'chat',
    keyId: 'key_1',
    keyName: 'Key one',
    userId: null,
    userName: null,
    modelId: 'gpt',
    providerId: 'openai',
    upstreamModel: 'gpt',
    stream: false,
    status: 200,
    isCall: true,
    isAdmitted: true,
    outcome: 'ok',
    code: null,
    ms: 100,
    ttftMs: 50,
    usage: null,
    costNanoUsd: null,
    price: null,
    attempts: [],
    clientAddress: '127.0.0.1',
    ...fields,
  };
}

export function makeUsage(fields: Partial<Usage> = {}): Usage {
  return { ...NO_USAGE, ...fields };
}

const ATTEMPT: CallEntry['attempts'][number] = {
  providerId: 'openai',
  upstreamModel: 'gpt',
  keyId: null,
  keyHint: null,
  status: 200,
  result: 'ok',
  code: null,
  ms: 1,
};

/** Calls of all kinds, in order of their times, from `fromMs` to before `toMs`. The same seed makes the same calls. */
export function mixedCalls(count: number, fromMs: number, toMs: number, seed = 1): CallEntry[] {
  const random = createRandom(seed);
  const times = Array.from({ length: count }, () => fromMs + random.int(toMs - fromMs));
  times.sort((one, other) => one - other);
  return times.map((endedAtMs) => mixedCall(random, endedAtMs));
}

function mixedCall(random: Random, endedAtMs: number): CallEntry {
  const key = random.pick(['key_1', 'key_2', 'key_3', 'master', null]);
  const hasUsage = random.chance(0.8);
  return makeCall({
    endedAtMs,
    endpoint: random.pick(['chat', 'embeddings', 'audio']),
    keyId: key,
    keyName: key === null ? null : `Name of ${key}`,
    userId: random.pick([null, 'user_1', 'user_2']),
    modelId: random.pick(['gpt', 'claude', 'a,"b"', '=1+1', null]),
    providerId: random.pick(['openai', 'anthropic', null]),
    upstreamModel: random.pick(['gpt-1', 'gpt-2', null]),
    outcome: random.pick(CALL_OUTCOMES),
    ms: random.int(100_000),
    ttftMs: random.chance(0.7) ? random.int(5_000) : null,
    usage: hasUsage ? mixedUsage(random) : null,
    costNanoUsd: hasUsage && random.chance(0.6) ? random.int(3) * random.int(1_000_000_000) : null,
    attempts: Array.from({ length: random.int(4) }, () => ATTEMPT),
  });
}

function mixedUsage(random: Random): Usage {
  const some = (below: number): number | null => (random.chance(0.8) ? random.int(below) : null);
  return makeUsage({
    promptTokens: some(100_000),
    cachedTokens: some(1_000),
    cacheWriteTokens: some(1_000),
    completionTokens: some(10_000),
    reasoningTokens: some(1_000),
    audioSeconds: random.chance(0.1) ? random.int(1_000_000) / 1000 : null,
    images: random.chance(0.1) ? random.int(4) : null,
    isEstimated: random.chance(0.2),
  });
}
