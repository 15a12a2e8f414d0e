import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Usage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
}

interface Message {
  readonly text: string;
  readonly reasoning: string;
  readonly usage: Usage | null;
  readonly costUsd: number | null;
  readonly firstTokenMs: number | null;
  readonly durationMs: number | null;
  readonly error: { message: string; detail: string } | null;
}

type Price = Record<string, unknown>;

const { describeAnswer, costOf, estimateTokens } = (await import(
  new URL('../../public/js/chat/request/figures.js', import.meta.url).href
)) as {
  describeAnswer(message: Message): string;
  costOf(price: Price | null, usage: Partial<Usage>): number | null;
  estimateTokens(text: string): number;
};

const NARROW = '\u202f';
const BASE: Message = {
  text: '',
  reasoning: '',
  usage: null,
  costUsd: null,
  firstTokenMs: 420,
  durationMs: 2420,
  error: null,
};
const PRICE: Price = {
  inputPerMTok: 2,
  outputPerMTok: 10,
  cachedInputPerMTok: null,
  cacheWritePerMTok: null,
  perAudioMinute: null,
  perImage: null,
  perRequest: null,
  above: null,
};

const LINES: readonly [string, Partial<Message>, string][] = [
  [
    'counted',
    { usage: { promptTokens: 1284, completionTokens: 128, cachedTokens: null }, costUsd: 0.0043 },
    `1,284 in · 128 out · ≈ $0.0043 · 420${NARROW}ms to first token · 64 tok/s`,
  ],
  [
    'from a cache',
    { usage: { promptTokens: 1711, completionTokens: 20, cachedTokens: 1024 } },
    `1,711 in, 1,024 cached · 20 out · 420${NARROW}ms to first token · 10 tok/s`,
  ],
  ['guessed', { text: 'a'.repeat(40) }, `≈ 10 out · 420${NARROW}ms to first token · ≈ 5.0 tok/s`],
  ['at once', { text: 'a'.repeat(400), durationMs: 421 }, `≈ 100 out · 420${NARROW}ms to first token`],
  ['nothing said', { durationMs: 900 }, `420${NARROW}ms to first token`],
  ['a file', { firstTokenMs: null, durationMs: 900, text: 'read' }, `900${NARROW}ms in total`],
  ['refused', { firstTokenMs: null, durationMs: 9, error: { message: 'No.', detail: '' } }, ''],
  [
    'for free',
    { usage: { promptTokens: 4, completionTokens: 1, cachedTokens: null }, costUsd: 0 },
    `4 in · 1 out · ≈ $0 · 420${NARROW}ms to first token`,
  ],
];

test('the line under an answer', () => {
  for (const [name, fields, line] of LINES) assert.equal(describeAnswer({ ...BASE, ...fields }), line, name);
});

test('tokens are guessed from the characters', () => {
  assert.equal(estimateTokens(''), 0);
  assert.equal(estimateTokens('Guten Tag, 世界!'), 5);
});

test('a cost at the list price: cached input, a threshold for the whole request, unknown rates', () => {
  const usage = { promptTokens: 1_000_000, completionTokens: 100_000, cachedTokens: 400_000 };
  const above = {
    inputTokens: 200_000,
    inputPerMTok: 4,
    outputPerMTok: 20,
    cachedInputPerMTok: 0.4,
    cacheWritePerMTok: null,
  };
  assert.equal(costOf(PRICE, usage), 3);
  assert.equal(costOf({ ...PRICE, cachedInputPerMTok: 0.5 }, usage), 2.4);
  assert.equal(costOf({ ...PRICE, above }, usage), 4.56);
  assert.equal(costOf({ ...PRICE, above }, { promptTokens: 200_000, completionTokens: 0 }), 0.4);
  assert.equal(costOf({ ...PRICE, perRequest: 0.01 }, { promptTokens: 0, completionTokens: 0 }), 0.01);
  assert.equal(costOf({ ...PRICE, outputPerMTok: null }, usage), null);
  assert.equal(costOf(null, usage), null);
});
