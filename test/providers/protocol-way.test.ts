import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MESSAGES } from '../../src/dialects/messages/messages.ts';
import { CHAT, ENDPOINTS, jsonEndpoint } from '../../src/gateway/endpoints.ts';
import type { AdapterCall, Quirk } from '../../src/providers/adapter.ts';
import { compileProvider } from '../../src/providers/compile.ts';
import { openaiAdapter } from '../../src/providers/openai.ts';
import { protocolWay, suspectNoProtocol } from '../../src/providers/protocol-way.ts';
import type { ProviderOptions } from '../../src/store/entities.ts';
import { makeProvider } from '../helpers/records.ts';

const TIMEOUTS = { connectTimeoutMs: 1, headersTimeoutMs: 1, idleTimeoutMs: 1 };
const NONE: ReadonlySet<Quirk> = new Set();
const REFUSED: ReadonlySet<Quirk> = new Set(['no_responses']);

function compiled(baseUrl: string, options: ProviderOptions = {}) {
  const record = makeProvider({ id: 'up', baseUrl, apiKey: 'sk-up', options });
  return compileProvider(record, { timeouts: TIMEOUTS, blockPrivate: false });
}

describe('how a provider serves a protocol', () => {
  const rows: readonly (readonly [baseUrl: string, messages: string, responses: string])[] = [
    ['https://api.anthropic.com', 'native', 'untried'],
    ['https://api.anthropic.com/v1/', 'native', 'untried'],
    ['https://api.deepseek.com/anthropic', 'native', 'untried'],
    ['https://api.z.ai/api/anthropic/', 'native', 'untried'],
    ['https://evil.example/anthropic/v1', 'translated', 'untried'],
    ['https://api.anthropic.com.evil.example', 'translated', 'untried'],
    ['https://api.openai.com/v1', 'translated', 'native'],
    ['https://openrouter.ai/api/v1', 'translated', 'native'],
    ['http://localhost:11434', 'translated', 'untried'],
  ];
  for (const [baseUrl, messages, responses] of rows) {
    test(baseUrl, () => {
      const provider = compiled(baseUrl);
      assert.deepEqual(
        [protocolWay(provider, 'messages', NONE), protocolWay(provider, 'responses', NONE)],
        [messages, responses],
      );
    });
  }

  test('its options stand above that', () => {
    for (const [mode, way] of [
      ['native', 'native'],
      ['translate', 'translated'],
    ] as const) {
      for (const url of ['https://api.anthropic.com', 'http://localhost']) {
        const provider = compiled(url, { messages: mode, responses: mode });
        assert.deepEqual(
          [protocolWay(provider, 'messages', NONE), protocolWay(provider, 'responses', REFUSED)],
          [way, way],
        );
      }
    }
    assert.equal(
      protocolWay(compiled('http://localhost', { messages: 'auto' }), 'messages', NONE),
      'translated',
    );
  });

  test('a refusal is remembered where nothing was known', () => {
    assert.equal(protocolWay(compiled('http://localhost'), 'responses', REFUSED), 'translated');
    assert.equal(protocolWay(compiled('https://api.openai.com'), 'responses', REFUSED), 'native');
  });

  test('what counts as a refusal of the protocol', () => {
    const dialect = { ...MESSAGES, name: 'responses' as const };
    const endpoint = jsonEndpoint('responses', { dialect });
    const call = { endpoint, modelId: 'mine' } as AdapterCall;
    const suspect = (status: number, text: string, url = 'http://localhost', quirks = NONE) =>
      suspectNoProtocol(call, { status, text }, { provider: compiled(url), quirks, upstreamModel: 'real' })
        ?.quirk ?? null;
    assert.equal(suspect(404, '{"detail":"Not Found"}'), 'no_responses');
    assert.equal(suspect(405, ''), 'no_responses');
    assert.equal(suspect(501, 'no'), 'no_responses');
    assert.equal(suspect(400, 'no'), null);
    assert.equal(suspect(500, 'no'), null);
    assert.equal(suspect(404, '{"error":{"code":"model_not_found"}}'), null);
    assert.equal(suspect(404, 'The model `real` does not exist'), null);
    assert.equal(suspect(404, 'no such model: mine'), null);
    assert.equal(suspect(404, 'undermined, surreal'), 'no_responses');
    assert.equal(suspect(404, '', 'https://api.openai.com'), null);
    assert.equal(suspect(404, '', 'http://localhost', REFUSED), null);
    assert.equal(
      suspectNoProtocol(
        { ...call, endpoint: CHAT },
        { status: 404, text: '' },
        { provider: compiled('http://localhost'), quirks: NONE, upstreamModel: 'real' },
      ),
      null,
    );
  });
});

describe('requests to Anthropic’s host', () => {
  const messages = ENDPOINTS.find(({ path }) => path === 'messages');
  const requestFor = (
    endpoint: AdapterCall['endpoint'],
    baseUrl: string,
    headers: readonly string[] = [],
  ) => {
    const provider = compiled(baseUrl);
    const call: AdapterCall = {
      endpoint,
      modelId: 'm',
      options: {},
      method: 'POST',
      body: { kind: 'raw', contentType: null, body: null },
      query: '',
      headers,
      hops: 1,
    };
    return openaiAdapter.buildRequest(
      call,
      { provider, key: provider.keys[0] ?? null, upstreamModel: 'm' },
      NONE,
    );
  };
  const headerOf = (list: readonly string[], name: string): string | undefined =>
    list.find((_, index) => index % 2 === 1 && list[index - 1] === name);

  test('carry the key and the version as it wants them; chat as OpenAI does', () => {
    assert.ok(messages !== undefined);
    const own = requestFor(messages, 'https://api.anthropic.com');
    assert.deepEqual(
      [
        own.path,
        ...['x-api-key', 'authorization', 'anthropic-version'].map((name) => headerOf(own.headers, name)),
      ],
      ['/v1/messages', 'sk-up', undefined, '2023-06-01'],
    );
    const versioned = requestFor(messages, 'https://api.anthropic.com', ['anthropic-version', '2026-10-21']);
    assert.equal(versioned.headers.filter((name) => name === 'anthropic-version').length, 1);
    assert.equal(headerOf(versioned.headers, 'anthropic-version'), '2026-10-21');
    const chat = requestFor(CHAT, 'https://api.anthropic.com');
    assert.deepEqual(
      [
        chat.path,
        ...['x-api-key', 'authorization', 'anthropic-version'].map((name) => headerOf(chat.headers, name)),
      ],
      ['/v1/chat/completions', undefined, 'Bearer sk-up', undefined],
    );
    const other = requestFor(messages, 'https://api.deepseek.com/anthropic');
    assert.deepEqual(
      [other.path, headerOf(other.headers, 'authorization'), headerOf(other.headers, 'anthropic-version')],
      ['/anthropic/v1/messages', 'Bearer sk-up', undefined],
    );
  });
});
