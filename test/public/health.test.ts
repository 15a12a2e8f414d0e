import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Condition {
  kind: string;
  word: string;
  isUsable: boolean;
  restingUntil?: string | null;
}
interface Target {
  name: string;
  share: number | null;
  condition: Condition;
}
type Fields = Record<string, unknown>;

const folder = new URL('../../public/js/', import.meta.url);
const health: Fields = await import(new URL('lib/health.js', folder).href);
const presets: Fields = await import(new URL('views/presets.js', folder).href);
const needsKey = health['needsKey'] as (baseUrl: string) => boolean;
const providerCondition = health['providerCondition'] as (provider: Fields) => Condition;
const keyCondition = health['keyCondition'] as (key: Fields) => Condition;
const countReadyKeys = health['countReadyKeys'] as (provider: Fields) => number;
const targetsOf = health['targetsOf'] as (model: Fields, providers: Map<string, Fields>) => Target[];
const modelCondition = health['modelCondition'] as (
  model: Fields,
  targets: Target[],
) => Condition & { detail: string };
const restSeconds = health['restSeconds'] as (until: string | null, nowMs: number) => number;
const groups = presets['PRESET_GROUPS'] as { presets: { baseUrl: string; isKeyless?: boolean }[] }[];

const PUBLIC = 'https://api.example.com/v1';

function key(fields: Fields = {}): Fields {
  return {
    id: 'k',
    hint: '…1234',
    enabled: true,
    state: 'ok',
    restingUntil: null,
    lastUsedAt: null,
    ...fields,
  };
}

function provider(state: string, fields: Fields = {}): Fields {
  return {
    id: 'one',
    name: 'One',
    baseUrl: PUBLIC,
    enabled: true,
    apiKeys: [key()],
    health: { state, restingUntil: state === 'resting' ? '2026-01-01T00:00:42Z' : null },
    ...fields,
  };
}

test('a key is needed at public hosts, but not on the own machine and network', () => {
  for (const preset of groups.flatMap((group) => group.presets))
    assert.equal(needsKey(preset.baseUrl), preset.isKeyless !== true, preset.baseUrl);
  const local = [
    'http://localhost:8080/v1',
    'http://127.0.0.1/v1',
    'http://10.1.2.3/v1',
    'http://172.16.0.1/v1',
    'http://172.31.0.1/v1',
    'http://192.168.1.20:9000/v1',
    'http://100.64.0.1/v1',
    'http://[::1]:8080/v1',
    'http://[fd12::1]/v1',
    'http://[fe80::1]/v1',
    'http://[::ffff:10.0.0.1]/v1',
    'http://ollama/v1',
    'http://host.docker.internal:9000/v1',
    'http://studio.local/v1',
    'https://gpu.example.com:11434/v1',
  ];
  for (const baseUrl of local) assert.equal(needsKey(baseUrl), false, baseUrl);
  const remote = [PUBLIC, 'http://172.32.0.1/v1', 'http://100.128.0.1/v1', 'http://[2001:db8::1]/v1'];
  for (const baseUrl of remote) assert.equal(needsKey(baseUrl), true, baseUrl);
  assert.equal(needsKey('not an address'), false);
});

const PROVIDERS: readonly [name: string, provider: Fields, kind: string, word: string][] = [
  ['that works', provider('ok'), 'ok', 'Working'],
  ['that is slow', provider('slow'), 'warn', 'Slow'],
  ['that fails', provider('failing'), 'bad', 'Failing'],
  ['that rests', provider('resting'), 'warn', 'Resting'],
  ['without requests', provider('untested'), 'off', 'Not used lately'],
  ['in a state of a later version', provider('dancing'), 'off', 'Not used lately'],
  ['that is off', provider('failing', { enabled: false }), 'off', 'Off'],
  ['without a key', provider('failing', { apiKeys: [] }), 'warn', 'Key missing'],
  ['without a key that answers', provider('ok', { apiKeys: [] }), 'ok', 'Working'],
  [
    'without a key, local',
    provider('untested', { apiKeys: [], baseUrl: 'http://localhost:11434' }),
    'off',
    'Not used lately',
  ],
  [
    'with keys that are off',
    provider('untested', { apiKeys: [key({ enabled: false })] }),
    'warn',
    'Keys off',
  ],
  [
    'with keys that cannot be read',
    provider('untested', { apiKeys: [key({ state: 'unreadable' }), key({ enabled: false })] }),
    'bad',
    'Unreadable',
  ],
];

for (const [name, given, kind, word] of PROVIDERS)
  test(`state of a provider ${name}: ${word}`, () => {
    const condition = providerCondition(given);
    assert.deepEqual([condition.kind, condition.word], [kind, word]);
  });

test('keys: a word for each state, and how many are ready', () => {
  const words = ['untested', 'ok', 'slow', 'failing', 'resting', 'refused', 'unreadable'].map(
    (state) => keyCondition(key({ state })).word,
  );
  assert.deepEqual(words, [
    'Not used lately',
    'Working',
    'Slow',
    'Failing',
    'Resting',
    'Refused',
    'Unreadable',
  ]);
  assert.equal(keyCondition(key({ enabled: false, state: 'refused' })).word, 'Off');
  const apiKeys = ['ok', 'failing', 'resting', 'refused', 'unreadable'].map((state) => key({ state }));
  assert.equal(countReadyKeys(provider('ok', { apiKeys: [...apiKeys, key({ enabled: false })] })), 2);
});

test('a rest has an end, another state has none', () => {
  const until = '2026-01-01T00:00:42Z';
  assert.equal(providerCondition(provider('resting')).restingUntil, until);
  assert.equal(keyCondition(key({ state: 'resting', restingUntil: until })).restingUntil, until);
  assert.equal(keyCondition(key({ state: 'refused', restingUntil: until })).restingUntil, undefined);
  const start = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(restSeconds(until, start), 42);
  assert.equal(restSeconds(until, start + 41_001), 1);
  assert.equal(restSeconds(until, start + 42_000), 0);
  assert.equal(restSeconds(null, start), 0);
});

/** The state of a model whose first provider and fallbacks are in these states; with a weight after a colon. */
function modelOn(...states: readonly string[]): Condition & { detail: string } {
  const rows = states.map((state, index) => {
    const [word = '', weight] = state.split(':');
    const id = `p${index}`;
    const record = provider(word, { id, name: id, enabled: word !== 'disabled' });
    return { id, record, weight: weight === undefined ? null : Number(weight) };
  });
  const [first, ...others] = rows;
  const model = {
    id: 'm',
    enabled: true,
    providerId: first?.id,
    upstreamModel: null,
    weight: first?.weight ?? null,
    fallbacks: others.map(({ id, weight }) => ({ providerId: id, upstreamModel: null, weight })),
  };
  const known = new Map(rows.map(({ id, record }) => [id, record]));
  return modelCondition(model, targetsOf(model, known));
}

const MODELS: readonly [states: string[], word: string, kind: string, detail: string][] = [
  [['ok'], 'Working', 'ok', ''],
  [['failing'], 'Failing', 'bad', ''],
  [['disabled'], 'Off', 'off', ''],
  [['ok', 'failing'], 'Working', 'ok', 'p1: Failing'],
  [['resting', 'ok'], 'On fallback', 'warn', 'p0: Resting'],
  [['failing', 'disabled', 'untested'], 'On fallback', 'warn', 'p0: Failing, p1: Off'],
  [['failing', 'resting'], 'Failing', 'bad', 'p0: Failing, p1: Resting'],
  [['failing:3', 'ok:1', 'ok'], 'Working', 'ok', 'p0: Failing'],
  [['failing:3', 'failing:1', 'slow'], 'On fallback', 'warn', 'p0: Failing, p1: Failing'],
];

for (const [states, word, kind, detail] of MODELS)
  test(`state of a model on ${states.join(', ')}: ${word}`, () => {
    const condition = modelOn(...states);
    assert.deepEqual([condition.word, condition.kind, condition.detail], [word, kind, detail]);
  });

test('targets: those with a weight share the load and come first, a missing provider has its id', () => {
  const model = {
    id: 'm',
    enabled: true,
    providerId: 'a',
    upstreamModel: null,
    weight: null,
    fallbacks: [
      { providerId: 'gone', upstreamModel: null, weight: null },
      { providerId: 'b', upstreamModel: 'x', weight: 3 },
    ],
  };
  const providers = new Map([
    ['a', provider('ok', { id: 'a', name: 'A' })],
    ['b', provider('ok', { id: 'b', name: 'B' })],
  ]);
  const targets = targetsOf(model, providers).map(({ name, share, condition }) => [
    name,
    share,
    condition.word,
  ]);
  assert.deepEqual(targets, [
    ['A', 0.25, 'Working'],
    ['B', 0.75, 'Working'],
    ['gone', null, 'No provider'],
  ]);
  assert.equal(modelCondition({ ...model, enabled: false }, targetsOf(model, providers)).word, 'Off');
});
