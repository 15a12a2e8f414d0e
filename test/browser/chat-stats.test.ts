import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Characters {
  readonly ascii: number;
  readonly other: number;
}

interface Measured {
  readonly startMs: number;
  readonly firstMs: number | null;
  readonly endMs: number;
  readonly characters: Characters;
  readonly usage: { readonly promptTokens: number | null; readonly completionTokens: number | null } | null;
}

const { countCharacters, describeSpeed } = (await import(
  new URL('../../public/js/views/chat-stats.js', import.meta.url).href
)) as { countCharacters(text: string): Characters; describeSpeed(measured: Measured): string };

const none = { ascii: 0, other: 0 };

test('the speed of an answer: time to its first token, tokens, tokens a second', () => {
  const times = { startMs: 1000, firstMs: 1420, endMs: 3420 };
  const usage = { promptTokens: 12, completionTokens: 128 };
  assert.equal(
    describeSpeed({ ...times, characters: none, usage }),
    '0.42 s to first token · 12 in · 128 tokens · 64.0 tokens/s',
  );
  assert.equal(
    describeSpeed({ ...times, characters: none, usage: { promptTokens: null, completionTokens: 500 } }),
    '0.42 s to first token · 500 tokens · 250 tokens/s',
  );
});

test('without a count the tokens are guessed, and marked so', () => {
  const characters = countCharacters('Guten Tag, 世界!');
  assert.deepEqual(characters, { ascii: 12, other: 2 });
  assert.equal(
    describeSpeed({ startMs: 0, firstMs: 500, endMs: 1500, characters, usage: null }),
    '0.50 s to first token · ~5 tokens · ~5.0 tokens/s',
  );
});

test('no rate of what came at once, and no tokens where nothing was said', () => {
  const characters = { ascii: 400, other: 0 };
  assert.equal(
    describeSpeed({ startMs: 0, firstMs: 300, endMs: 301, characters, usage: null }),
    '0.30 s to first token · ~100 tokens',
  );
  assert.equal(
    describeSpeed({ startMs: 0, firstMs: 300, endMs: 900, characters: none, usage: null }),
    '0.30 s to first token',
  );
  assert.equal(
    describeSpeed({ startMs: 0, firstMs: null, endMs: 900, characters: none, usage: null }),
    '0.90 s in total',
  );
});
