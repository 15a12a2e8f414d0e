import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Entry {
  readonly id: string;
  readonly outcome: string;
  readonly code?: string | null;
  readonly status?: number;
  readonly endpoint?: string;
  readonly model?: string | null;
}
interface FactsModule {
  isNewServer(requests: readonly Entry[], counted: number): boolean;
  presetOfKey(key: string): { readonly id: string } | null;
  suggestModels(ids: readonly string[]): { readonly suggested: string[]; readonly ticked: string[] };
  failureText(entry: Entry): string;
}
const file = new URL('../../public/js/views/first-run-facts.js', import.meta.url).href;
const facts: FactsModule = await import(file);

const OK = { id: 'ok', outcome: 'ok' };
const FAILED = { id: 'failed', outcome: 'providerErrors' };

for (const [name, requests, counted, expected] of [
  ['no request', [], 0, true],
  ['a success', [OK], 1, false],
  ['a success after failures', [FAILED, OK], 2, false],
  ['a few failures and nothing else', [FAILED, FAILED], 2, true],
  ['failures of which the log has only the last', [FAILED, FAILED], 40, false],
  ['failures alone, but many', Array.from({ length: 6 }, () => FAILED), 6, false],
  ['figures without a log', [], 12, false],
] as const) {
  test(`a server is new: ${name}: ${expected}`, () => {
    assert.equal(facts.isNewServer(requests, counted), expected);
  });
}

for (const [key, expected] of [
  ['sk-ant-api03-x', 'anthropic'],
  ['sk-or-v1-x', 'openrouter'],
  ['sk-proj-x', 'openai'],
  ['gsk_x', 'groq'],
  ['AIzaSyX', 'gemini'],
  ['xai-x', 'xai'],
  ['cpk_x', 'chutes'],
  ['sk-0123', null],
  ['SK-ANT-x', null],
  ['something', null],
  ['', null],
] as const) {
  test(`whose key ${JSON.stringify(key)} is`, () => {
    assert.equal(facts.presetOfKey(key)?.id ?? null, expected);
  });
}

for (const [name, ids, ticked] of [
  [
    'the newest of each family, without dated copies',
    [
      'gpt-4.1-mini',
      'gpt-5.4-mini',
      'gpt-5.4-mini-2026-01-02',
      'gpt-5.10',
      'gpt-5.9',
      'text-embedding-3-large',
    ],
    ['gpt-5.4-mini', 'gpt-5.10'],
  ],
  ['local models as they come', ['phi3:latest', 'nomic-embed-text'], ['phi3:latest']],
  ['a provider of embeddings alone', ['voyage-3'], ['voyage-3']],
  ['nothing', [], []],
] as const) {
  test(`models suggested: ${name}`, () => {
    const found = facts.suggestModels(ids);
    assert.deepEqual(found.ticked, ticked);
    assert.ok(found.ticked.every((id) => found.suggested.includes(id)));
  });
}

test('at most four models are ticked and twelve suggested, each once', () => {
  const ids = Array.from({ length: 400 }, (_, index) => `model-${index}`);
  const { suggested, ticked } = facts.suggestModels([...ids, 'gpt-5.4-mini', ...ids]);
  assert.equal(ticked.length, 1);
  assert.equal(suggested.length, 12);
  assert.equal(new Set(suggested).size, 12);
});

test('failures are told in words; those without words of their own by status and code', () => {
  const entry = {
    id: 'x',
    outcome: 'clientErrors',
    status: 404,
    endpoint: 'chat/completions',
    model: 'gpt-9',
  };
  assert.match(
    facts.failureText({ ...entry, code: 'model_not_found' }),
    /asked for gpt-9, which is not set up/,
  );
  assert.match(facts.failureText({ ...entry, code: 'invalid_api_key' }), /key that is not known/);
  assert.equal(
    facts.failureText({ ...entry, status: 418, code: 'a_new_code' }),
    'A request to chat/completions failed with 418, a new code.',
  );
  assert.match(facts.failureText({ ...entry, status: 418, code: null }), /failed with 418\.$/);
  assert.equal(facts.failureText({ ...entry, outcome: 'broken', code: null }), 'The answer broke off.');
});
