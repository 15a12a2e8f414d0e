import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isWithin, keyMayUseModel, type ModelList, mayUseModel } from '../../src/auth/model-access.ts';
import type { ApiKey, User } from '../../src/store/entities.ts';

const USER: User = {
  id: 'u1',
  username: 'ann',
  name: 'Ann',
  enabled: true,
  models: null,
  limits: null,
  passwordHash: '',
  createdAt: '',
  updatedAt: '',
};
const KEY: ApiKey = {
  id: 'k1',
  name: 'key',
  digest: '',
  keyHint: '',
  enabled: true,
  models: null,
  userId: 'u1',
  expiresAt: null,
  passThrough: false,
  limits: null,
  createdAt: '',
};

/** Short words over three letters: prefixes meet often. */
const WORD = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 4 });
const ENTRY = fc.oneof(
  WORD,
  WORD.map((word) => `${word}*`),
  WORD.map((word) => `${word}**`),
);
const LIST: fc.Arbitrary<ModelList> = fc.oneof(fc.constant(null), fc.array(ENTRY, { maxLength: 4 }));

describe('mayUseModel()', () => {
  const cases: readonly (readonly [models: ModelList, modelId: string, expected: boolean])[] = [
    [null, 'gpt-4o', true],
    [[], 'gpt-4o', false],
    [['gpt-4o'], 'gpt-4o', true],
    [['gpt-4o'], 'gpt-4o-mini', false],
    [['gpt-4o-mini'], 'gpt-4o', false],
    [['GPT-4o'], 'gpt-4o', false],
    [['gpt-*'], 'gpt-4o', true],
    [['gpt-*'], 'gpt-', true],
    [['gpt-*'], 'gpt', false],
    [['gpt-*'], 'my-gpt-4o', false],
    [['*'], 'anything/at:all', true],
    [['*-mini'], 'gpt-4o-mini', false],
    [['gpt-*-mini'], 'gpt-4o-mini', false],
    [['gpt.4o'], 'gpt-4o', false],
    [['a', 'b', 'gpt-*'], 'gpt-4o', true],
    [['meta-llama/*'], 'meta-llama/Llama-3', true],
    [[''], 'gpt-4o', false],
    [['toString'], 'toString', true],
    [['a'], '__proto__', false],
  ];
  for (const [models, modelId, expected] of cases) {
    it(`${JSON.stringify(models)} ${expected ? 'allows' : 'does not allow'} ${modelId}`, () => {
      assert.equal(mayUseModel(models, modelId), expected);
    });
  }
});

describe('isWithin()', () => {
  const cases: readonly (readonly [narrow: ModelList, wide: ModelList, expected: boolean])[] = [
    [null, null, true],
    [['a'], null, true],
    [[], ['a'], true],
    [[], [], true],
    [null, ['a'], false],
    [null, ['*'], true],
    [['*'], ['a'], false],
    [['*'], ['*'], true],
    [['a'], ['a', 'b'], true],
    [['a', 'c'], ['a', 'b'], false],
    [['gpt-4o'], ['gpt-*'], true],
    [['gpt-4*'], ['gpt-*'], true],
    [['gpt-*'], ['gpt-*'], true],
    [['gpt-*'], ['gpt-4*'], false],
    [['gpt-*'], ['gpt-4o'], false],
    [['gpt-*'], ['gpt-**'], false],
    [['gpt-**'], ['gpt-*'], true],
  ];
  for (const [narrow, wide, expected] of cases) {
    it(`${JSON.stringify(narrow)} is ${expected ? '' : 'not '}within ${JSON.stringify(wide)}`, () => {
      assert.equal(isWithin(narrow, wide), expected);
    });
  }
  it('holds for every model: what the narrow list allows, the wide one does', () => {
    fc.assert(
      fc.property(LIST, LIST, WORD, (narrow, wide, modelId) => {
        if (isWithin(narrow, wide) && mayUseModel(narrow, modelId)) assert.ok(mayUseModel(wide, modelId));
        assert.ok(isWithin(narrow, narrow));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('keyMayUseModel()', () => {
  const MODEL_IDS = ['a', 'b', 'c', 'gpt-4', 'gpt-4o', 'gpt-5'];
  const cases: readonly (readonly [key: ModelList, user: ModelList, allowed: readonly string[]])[] = [
    [null, null, MODEL_IDS],
    [['a'], null, ['a']],
    [null, ['a'], ['a']],
    [['a', 'b'], ['b', 'c'], ['b']],
    [['gpt-*'], ['gpt-4o', 'a'], ['gpt-4o']],
    [['gpt-4o'], ['gpt-*'], ['gpt-4o']],
    [['gpt-4*', 'a'], ['gpt-*'], ['gpt-4', 'gpt-4o']],
    [['*'], ['*'], MODEL_IDS],
    [['a'], ['b'], []],
    [[], ['*'], []],
  ];
  for (const [keyModels, userModels, allowed] of cases) {
    it(`lets a key with ${JSON.stringify(keyModels)} of a user with ${JSON.stringify(userModels)} use ${JSON.stringify(allowed)}`, () => {
      const key = { ...KEY, models: keyModels };
      const user = { ...USER, models: userModels };
      assert.deepEqual(
        MODEL_IDS.filter((modelId) => keyMayUseModel(key, user, modelId)),
        allowed,
      );
    });
  }
  it('asks that both lists allow the model', () => {
    fc.assert(
      fc.property(LIST, LIST, WORD, (keyModels, userModels, modelId) => {
        const both = mayUseModel(keyModels, modelId) && mayUseModel(userModels, modelId);
        const [key, user] = [
          { ...KEY, models: keyModels },
          { ...USER, models: userModels },
        ];
        assert.equal(keyMayUseModel(key, user, modelId), both);
      }),
      { numRuns: 2000 },
    );
  });
  it("allows nothing to a user's key without its user, with a disabled one, with another", () => {
    for (const user of [null, { ...USER, enabled: false }, { ...USER, id: 'u2' }]) {
      assert.equal(keyMayUseModel(KEY, user, 'a'), false);
    }
  });
  it("goes by the key's list alone for the admin's own keys", () => {
    const own = { ...KEY, userId: null, models: ['a'] };
    assert.equal(keyMayUseModel(own, null, 'a'), true);
    assert.equal(keyMayUseModel(own, null, 'b'), false);
  });
});
