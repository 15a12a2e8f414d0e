import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { expectStatus } from '../helpers/start-app.ts';
import { onlyAdmin, runScenarios, type Scenario, startFixture, sweepFields } from './scenarios.ts';

const BASE = '/api/admin/models';
const NEW = { id: 'new', providerId: 'up' };

/** A PUT that is refused, and the field that the refusal names. */
function refuses(body: object, param: string, code = 'invalid_value'): Scenario {
  const name = `refuses ${JSON.stringify(body).slice(0, 60)}`;
  return { name, method: 'PUT', path: `${BASE}/m`, body, status: 400, code, param };
}

/** A PUT that is accepted, and what the model has then. */
function accepts(body: object, has: Record<string, unknown>): Scenario {
  const name = `accepts ${JSON.stringify(body).slice(0, 60)}`;
  return { name, method: 'PUT', path: `${BASE}/m`, body, status: 200, has };
}

const UNPRICED = { ...UNKNOWN_PRICE, source: null, asOf: null };
const NO_PRICE = { price: null, effectivePrice: UNPRICED };
const FULL = { providerId: 'bare', upstreamModel: 'vendor/x', weight: 2.5 };
const many = (count: number): object[] => Array.from({ length: count }, () => ({ providerId: 'bare' }));

const FALLBACKS: readonly Scenario[] = [
  {
    name: 'create with a weight and fallbacks',
    method: 'POST',
    path: BASE,
    body: { ...NEW, weight: 1000, fallbacks: [FULL, { providerId: 'up' }] },
    status: 201,
    has: {
      weight: 1000,
      fallbacks: [
        { ...FULL, ...NO_PRICE },
        { providerId: 'up', upstreamModel: null, weight: null, ...NO_PRICE },
      ],
    },
    after: ({ app }) => {
      const model = app.services.store.config.view().models.get('new');
      assert.deepEqual(model?.fallbacks, [
        { ...FULL, price: null },
        { providerId: 'up', upstreamModel: null, weight: null, price: null },
      ]);
      assert.equal(model?.price, null);
      assert.ok(!('effectivePrice' in (model ?? {})));
    },
  },
  // What GET gave can be sent back.
  accepts({ fallbacks: [{ ...FULL, ...NO_PRICE }] }, { fallbacks: [{ ...FULL, ...NO_PRICE }] }),
  accepts({ fallbacks: null, weight: '' }, { fallbacks: [], weight: null }),
  accepts({ weight: 0.001 }, { weight: 0.001 }),
  {
    ...accepts({ fallbacks: many(32) }, {}),
    after: ({ app }) => assert.equal(app.services.store.config.view().models.get('m')?.fallbacks.length, 32),
  },
  refuses({ fallbacks: many(33) }, 'fallbacks'),
  refuses({ fallbacks: { providerId: 'bare' } }, 'fallbacks'),
  refuses({ fallbacks: ['bare'] }, 'fallbacks[0]'),
  refuses({ fallbacks: [FULL, {}] }, 'fallbacks[1].providerId'),
  refuses({ fallbacks: [{ providerId: 'nope' }] }, 'fallbacks[0].providerId'),
  refuses({ fallbacks: [{ providerId: '__proto__' }] }, 'fallbacks[0].providerId'),
  refuses({ fallbacks: [{ ...FULL, upstreamModel: 7 }] }, 'fallbacks[0].upstreamModel'),
  refuses({ fallbacks: [{ ...FULL, upstreamModel: 'x'.repeat(513) }] }, 'fallbacks[0].upstreamModel'),
  refuses({ fallbacks: [{ ...FULL, upstreamModel: 'x-*' }] }, 'fallbacks[0].upstreamModel'),
  refuses({ fallbacks: [{ ...FULL, weight: 0 }] }, 'fallbacks[0].weight'),
  refuses({ fallbacks: [{ ...FULL, weight: '1' }] }, 'fallbacks[0].weight'),
  accepts(
    { fallbacks: [{ ...FULL, price: { perRequest: 1 } }] },
    {
      fallbacks: [
        {
          ...FULL,
          price: { ...UNKNOWN_PRICE, perRequest: 1 },
          effectivePrice: { ...UNPRICED, perRequest: 1, source: 'own' },
        },
      ],
    },
  ),
  refuses({ fallbacks: [{ ...FULL, price: { perRequest: -1 } }] }, 'fallbacks[0].price.perRequest'),
  ...[0, -1, 1000.1, '1', true, {}].map((weight) => refuses({ weight }, 'weight')),
];

const PRICE = {
  inputPerMTok: 2.5,
  outputPerMTok: 10,
  cachedInputPerMTok: 0,
  cacheWritePerMTok: 0.0375,
  perAudioMinute: 0.000000001,
  perImage: 1_000_000,
  perRequest: null,
  above: {
    inputTokens: 200_000,
    inputPerMTok: 5,
    outputPerMTok: null,
    cachedInputPerMTok: null,
    cacheWritePerMTok: null,
  },
};
const WRONG_AMOUNTS = [-1, 1_000_000.5, 0.0000000001, '1', true, {}, []];

const PRICES: readonly Scenario[] = [
  accepts({ price: PRICE }, { price: PRICE, effectivePrice: { ...PRICE, source: 'own', asOf: null } }),
  // What GET gave can be sent back; a price is replaced as a whole.
  accepts(
    { price: { inputPerMTok: 1, source: 'list', asOf: 'x', above: {} } },
    { price: { ...UNKNOWN_PRICE, inputPerMTok: 1 } },
  ),
  ...[null, '', {}, { inputPerMTok: null }, { inputPerMTok: '' }, { source: 'own' }].map((price) =>
    accepts({ price }, NO_PRICE),
  ),
  accepts({ price: { perRequest: 0 } }, { price: { ...UNKNOWN_PRICE, perRequest: 0 } }),
  // A fallback without a price of its own has the model's.
  accepts(
    { price: { perImage: 2 }, fallbacks: [FULL] },
    {
      fallbacks: [{ ...FULL, price: null, effectivePrice: { ...UNPRICED, perImage: 2, source: 'own' } }],
    },
  ),
  ...WRONG_AMOUNTS.map((amount) => refuses({ price: { outputPerMTok: amount } }, 'price.outputPerMTok')),
  ...[5, 'x', true, []].map((price) => refuses({ price }, 'price')),
  refuses({ price: { above: 5 } }, 'price.above'),
  refuses({ price: { above: { inputPerMTok: 5 } } }, 'price.above.inputTokens'),
  refuses({ price: { above: { inputTokens: 0, inputPerMTok: 5 } } }, 'price.above.inputTokens'),
  refuses({ price: { above: { inputTokens: 1.5 } } }, 'price.above.inputTokens'),
  refuses({ price: { above: { inputTokens: 1, inputPerMTok: -5 } } }, 'price.above.inputPerMTok'),
];

const ALL_OPTIONS = {
  maxOutputTokens: 4096,
  maxTokensField: 'max_completion_tokens',
  reasoningEffort: false,
  defaults: { temperature: 0.5, metadata: { a: [null] }, top_k: null },
  drop: ['logprobs'],
  rename: { user: 'safety_identifier' },
};
const fields = (count: number, name = 'f'): [string, string][] =>
  Array.from({ length: count }, (_, index) => [`${name}${index}`, 'x']);

const OPTIONS: readonly Scenario[] = [
  {
    name: 'create with all options',
    method: 'POST',
    path: BASE,
    body: { ...NEW, options: { ...ALL_OPTIONS, fromTomorrow: { a: 1 } } },
    status: 201,
    has: { options: ALL_OPTIONS },
  },
  accepts(
    { options: { reasoningEffort: true, defaults: {}, drop: [], rename: {} } },
    {
      options: { reasoningEffort: true, defaults: {}, drop: [], rename: {} },
    },
  ),
  accepts({ options: { maxOutputTokens: 1, pdf: null } }, { options: { maxOutputTokens: 1 } }),
  accepts({ options: null }, { options: {} }),
  accepts({ options: { drop: fields(64).map(([name]) => name) } }, {}),
  refuses({ options: { drop: fields(65).map(([name]) => name) } }, 'options.drop'),
  refuses({ options: { rename: Object.fromEntries(fields(65)) } }, 'options.rename'),
  refuses({ options: { defaults: Object.fromEntries(fields(65)) } }, 'options.defaults'),
  refuses({ options: { defaults: { a: 'x'.repeat(16 * 1024) } } }, 'options.defaults'),
  ...['model', 'messages', 'input', 'stream', 'Model', '', 'x'.repeat(129), 'a\nb'].flatMap((name) => [
    refuses({ options: { drop: [name] } }, 'options.drop'),
    refuses({ options: { defaults: { [name]: 1 } } }, 'options.defaults'),
    refuses({ options: { rename: { [name]: 'x' } } }, 'options.rename'),
    refuses({ options: { rename: { x: name } } }, 'options.rename'),
  ]),
  {
    ...refuses({}, 'options.defaults'),
    name: 'refuses a default called __proto__',
    body: '{"options":{"defaults":{"__proto__":{"enabled":true}}}}',
  },
  refuses({ options: { drop: 'logprobs' } }, 'options.drop'),
  refuses({ options: { drop: [1] } }, 'options.drop'),
  refuses({ options: { rename: { a: 1 } } }, 'options.rename'),
  refuses({ options: { rename: ['a'] } }, 'options.rename'),
  refuses({ options: { defaults: [] } }, 'options.defaults'),
  refuses({ options: { maxTokensField: 'max' } }, 'options.maxTokensField'),
  refuses({ options: { reasoningEffort: 'low' } }, 'options.reasoningEffort'),
  refuses({ options: { reasoningContent: 'thinking' } }, 'options.reasoningContent'),
  ...[{ reasoningContent: true }, { reasoningContent: 'reasoning' }, { pdf: false }].map((options) =>
    accepts({ options }, { options }),
  ),
  ...['models', 'Fallbacks', 'extra_body'].map((name) =>
    refuses({ options: { rename: { user: name } } }, 'options.rename'),
  ),
  ...[0, 1.5, '5', 1e12].map((maxOutputTokens) =>
    refuses({ options: { maxOutputTokens } }, 'options.maxOutputTokens'),
  ),
  refuses({ options: [] }, 'options'),
  refuses({ options: 'x' }, 'options'),
];

const WILDCARDS: readonly Scenario[] = [
  ...['*', 'gpt-*', '*-mini', 'org/*:v1', `${'x'.repeat(127)}*`].map(
    (id): Scenario => ({
      name: `create the wildcard ${id.slice(0, 20)}`,
      method: 'POST',
      path: BASE,
      body: {
        ...NEW,
        id,
        upstreamModel: 'vendor/*',
        fallbacks: [{ providerId: 'bare', upstreamModel: '*' }],
      },
      status: 201,
      has: {
        id,
        upstreamModel: 'vendor/*',
        fallbacks: [{ providerId: 'bare', upstreamModel: '*', weight: null, ...NO_PRICE }],
      },
    }),
  ),
  {
    name: 'create a wildcard with two of them in the upstream name',
    method: 'POST',
    path: BASE,
    body: { ...NEW, id: 'gpt-*', upstreamModel: '*/*' },
    status: 400,
    code: 'invalid_value',
    param: 'upstreamModel',
  },
  {
    name: 'create a wildcard with two of them in the upstream name of a fallback',
    method: 'POST',
    path: BASE,
    body: { ...NEW, id: '*', fallbacks: [{ providerId: 'bare', upstreamModel: '**' }] },
    status: 400,
    code: 'invalid_value',
    param: 'fallbacks[0].upstreamModel',
  },
  refuses({ upstreamModel: 'vendor/*' }, 'upstreamModel'),
];

const SCENARIOS: readonly Scenario[] = [
  ...onlyAdmin('GET', BASE),
  ...onlyAdmin('POST', BASE, NEW),
  ...onlyAdmin('GET', `${BASE}/m`),
  ...onlyAdmin('PUT', `${BASE}/m`, { name: 'x' }),
  ...onlyAdmin('DELETE', `${BASE}/m`),
  {
    name: 'the list',
    method: 'GET',
    path: BASE,
    status: 200,
    contains: ['"id":"m"', '"id":"a/b:1"', '"fallbacks":[]', '"price":null'],
  },
  {
    name: 'one of them',
    method: 'GET',
    path: `${BASE}/m`,
    status: 200,
    has: {
      id: 'm',
      name: 'm',
      providerId: 'up',
      upstreamModel: null,
      enabled: true,
      vision: null,
      weight: null,
      fallbacks: [],
      options: {},
      price: null,
      effectivePrice: UNPRICED,
    },
  },
  {
    name: 'an id with a slash, encoded',
    method: 'GET',
    path: `${BASE}/a%2Fb%3A1`,
    status: 200,
    has: { id: 'a/b:1' },
  },
  {
    name: 'an id with a slash, not encoded',
    method: 'GET',
    path: `${BASE}/a/b:1`,
    status: 404,
    code: 'unknown_url',
  },
  { name: 'an unknown one', method: 'GET', path: `${BASE}/nope`, status: 404, code: 'not_found' },
  { name: 'one called __proto__', method: 'GET', path: `${BASE}/__proto__`, status: 404, code: 'not_found' },
  {
    name: 'one called constructor',
    method: 'DELETE',
    path: `${BASE}/constructor`,
    status: 404,
    code: 'not_found',
  },
  { name: 'broken escapes', method: 'GET', path: `${BASE}/%ff`, status: 404 },
  {
    name: 'create with the least',
    method: 'POST',
    path: BASE,
    body: NEW,
    status: 201,
    has: { id: 'new', name: 'new', providerId: 'up', upstreamModel: null, enabled: true, vision: null },
  },
  {
    name: 'create with everything',
    method: 'POST',
    path: BASE,
    body: {
      ...NEW,
      id: 'org/Name:v1@2',
      name: 'Näme 😀',
      upstreamModel: ' vendor/real "x" ',
      enabled: false,
      vision: true,
      fallbacks: [],
      price: null,
    },
    status: 201,
    has: {
      id: 'org/Name:v1@2',
      name: 'Näme 😀',
      upstreamModel: 'vendor/real "x"',
      enabled: false,
      vision: true,
    },
  },
  {
    name: 'create with what is unknown: ignored',
    method: 'POST',
    path: BASE,
    body: { ...NEW, createdAt: 'x', owner: 'y' },
    status: 201,
    has: { owner: undefined },
  },
  {
    name: 'create with an empty upstream model: the same as the id',
    method: 'POST',
    path: BASE,
    body: { ...NEW, upstreamModel: '' },
    status: 201,
    has: { upstreamModel: null },
  },
  {
    name: 'create without an id',
    method: 'POST',
    path: BASE,
    body: { providerId: 'up' },
    status: 400,
    code: 'missing_required_parameter',
    param: 'id',
  },
  {
    name: 'create without a provider',
    method: 'POST',
    path: BASE,
    body: { id: 'new' },
    status: 400,
    code: 'missing_required_parameter',
    param: 'providerId',
  },
  {
    name: 'create at a provider that is not there',
    method: 'POST',
    path: BASE,
    body: { ...NEW, providerId: 'nope' },
    status: 400,
    code: 'invalid_value',
    param: 'providerId',
  },
  {
    name: 'create at a provider called __proto__',
    method: 'POST',
    path: BASE,
    body: { ...NEW, providerId: '__proto__' },
    status: 400,
    code: 'invalid_value',
    param: 'providerId',
  },
  {
    name: 'create one that is there',
    method: 'POST',
    path: BASE,
    body: { ...NEW, id: 'm' },
    status: 409,
    code: 'already_exists',
    param: 'id',
  },
  ...[
    '',
    ' ',
    '/a',
    '-a',
    'a b',
    'a\nb',
    'a?b',
    'a#b',
    'a%b',
    'a**',
    '**',
    '*-*',
    '-*',
    '* ',
    'ä',
    '__proto__',
    'constructor',
    'prototype',
    'x'.repeat(129),
  ].map(
    (id): Scenario => ({
      name: `create with the id ${JSON.stringify(id).slice(0, 20)}`,
      method: 'POST',
      path: BASE,
      body: { ...NEW, id },
      status: 400,
      param: 'id',
    }),
  ),
  {
    name: 'create with a flag that is text',
    method: 'POST',
    path: BASE,
    body: { ...NEW, vision: 'yes' },
    status: 400,
    code: 'invalid_value',
    param: 'vision',
  },
  ...FALLBACKS,
  ...OPTIONS,
  ...WILDCARDS,
  ...PRICES,
  {
    name: 'change',
    method: 'PUT',
    path: `${BASE}/a%2Fb%3A1`,
    body: { name: 'New name', upstreamModel: 'real', vision: false, providerId: 'bare', enabled: false },
    status: 200,
    has: {
      id: 'a/b:1',
      name: 'New name',
      upstreamModel: 'real',
      vision: false,
      providerId: 'bare',
      enabled: false,
    },
  },
  {
    name: 'the id does not change',
    method: 'PUT',
    path: `${BASE}/m`,
    body: { id: 'other', createdAt: 'x' },
    status: 200,
    has: { id: 'm' },
  },
  {
    name: 'null guesses again',
    method: 'PUT',
    path: `${BASE}/m`,
    body: { vision: null, upstreamModel: null },
    status: 200,
    has: { vision: null, upstreamModel: null },
  },
  {
    name: 'change to a provider that is not there',
    method: 'PUT',
    path: `${BASE}/m`,
    body: { providerId: 'nope' },
    status: 400,
    code: 'invalid_value',
    param: 'providerId',
  },
  {
    name: 'change an unknown one',
    method: 'PUT',
    path: `${BASE}/nope`,
    body: {},
    status: 404,
    code: 'not_found',
  },
  {
    name: 'delete',
    method: 'DELETE',
    path: `${BASE}/a%2Fb%3A1`,
    status: 204,
    after: ({ app }) =>
      assert.deepEqual([...app.services.store.config.view().models.keys()].includes('a/b:1'), false),
  },
  { name: 'delete an unknown one', method: 'DELETE', path: `${BASE}/nope`, status: 404, code: 'not_found' },
];

test('models', { timeout: 60_000 }, async (t) => {
  const fixture = await startFixture(t);
  await runScenarios(t, fixture, SCENARIOS);
  await t.test('options are merged: a given one replaces the old one, null removes it', async () => {
    for (const [options, expected] of [
      [{ maxOutputTokens: 5, drop: ['a', 'b'], defaults: { a: 1 } }, null],
      [
        { reasoningEffort: true },
        { maxOutputTokens: 5, drop: ['a', 'b'], defaults: { a: 1 }, reasoningEffort: true },
      ],
      [
        { drop: ['c'], defaults: { b: 2 }, maxOutputTokens: null },
        { drop: ['c'], defaults: { b: 2 }, reasoningEffort: true },
      ],
      [null, {}],
    ] as const) {
      const answer = await fixture.as('admin', 'PUT', `${BASE}/m`, { options });
      const model = (await expectStatus(200, answer)) as { options: unknown };
      assert.deepEqual(model.options, expected ?? options);
    }
  });
  await t.test('wrong values of every field do no harm', async () => {
    const fields = [
      'id',
      'name',
      'providerId',
      'upstreamModel',
      'enabled',
      'vision',
      'weight',
      'fallbacks',
      'options',
      'price',
      '__proto__',
    ];
    await sweepFields(fixture, 'POST', BASE, { valid: NEW, fields });
    await sweepFields(fixture, 'PUT', `${BASE}/m`, { valid: {}, fields });
  });
});
