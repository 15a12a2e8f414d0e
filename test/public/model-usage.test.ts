import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Use {
  readonly requests: number;
  readonly costUsd: number | null;
  readonly unpricedRequests: number;
}

const file = new URL('../../public/js/views/model-usage.js', import.meta.url);
const {
  usesByModel,
}: { usesByModel: (byName: Map<string, Use>, models: { id: string }[]) => Map<string, Use> } = await import(
  file.href
);

const use = (requests: number, costUsd: number | null = null, unpricedRequests = 0): Use => ({
  requests,
  costUsd,
  unpricedRequests,
});

test('a model has what was asked for by its name, a pattern all that it serves', () => {
  const models = ['gpt', 'gpt-*', 'gpt-5*', '*-mini', 'free', 'unused'].map((id) => ({ id }));
  const uses = usesByModel(
    new Map([
      ['gpt', use(3, 1.5)],
      ['gpt-4', use(2, 0.25)],
      ['gpt-4o', use(1, null, 1)],
      ['gpt-5', use(7, 1)],
      ['gpt-', use(9)],
      ['gpt-5.4', use(4, 2)],
      ['o4-mini', use(5, null)],
      ['free', use(6, 0)],
      ['gone', use(8, 8)],
    ]),
    models,
  );
  assert.deepEqual(Object.fromEntries(uses), {
    gpt: use(3, 1.5),
    'gpt-*': use(10, 1.25, 1),
    'gpt-5*': use(4, 2),
    '*-mini': use(5),
    free: use(6, 0),
  });
});
