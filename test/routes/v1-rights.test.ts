import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { sessionCookieName } from '../../src/http/cookies.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeLimits } from '../helpers/limited-keys.ts';
import {
  type AppUnderTest,
  expectStatus,
  jsonRequest,
  MASTER_KEY,
  signIn,
  startApp,
} from '../helpers/start-app.ts';

const WHO = [
  'nobody',
  'disabled key',
  'user key',
  'restricted key',
  'passing key',
  'restricted passing key',
  'user session',
  'admin session',
  'master key',
] as const;
type Who = (typeof WHO)[number];
type Headers = Record<string, string>;

/** Statuses in the order of `WHO`. */
type Row = readonly [method: string, path: string, body: string | null, statuses: readonly number[]];

const HI = '"messages":[{"role":"user","content":"Hi"}],"max_tokens":5';
const EVERYBODY = [401, 401, 200, 200, 200, 200, 200, 200, 200];
const NOT_RESTRICTED = [401, 401, 200, 403, 200, 403, 200, 200, 200];
const PASSING = [401, 401, 404, 404, 200, 200, 404, 200, 200];
const PASSING_UNRESTRICTED = [401, 401, 404, 404, 200, 400, 404, 200, 200];
const UNNAMED = [401, 401, 400, 400, 200, 400, 400, 200, 200];

/** Nobody else can ask for the answer. */
const RUNNING_ON = [401, 401, 400, 400, 200, 200, 400, 200, 200];

const ROWS: readonly Row[] = [
  ['POST', 'messages', `{"model":"mine",${HI}}`, EVERYBODY],
  ['POST', 'messages', `{"model":"other",${HI}}`, NOT_RESTRICTED],
  ['POST', 'messages', `{"model":"native","thread":null,${HI}}`, NOT_RESTRICTED],
  ['POST', 'messages/count_tokens', `{"model":"mine",${HI}}`, EVERYBODY],
  ['POST', 'messages/count_tokens', `{"model":"other",${HI}}`, NOT_RESTRICTED],
  ['POST', 'messages/count_tokens', `{"model":"native",${HI}}`, NOT_RESTRICTED],
  ['POST', 'responses', '{"model":"mine","input":"Hi"}', EVERYBODY],
  ['POST', 'responses', '{"model":"other","input":"Hi"}', NOT_RESTRICTED],
  ['POST', 'responses', '{"model":"mine","input":"Hi","background":false}', EVERYBODY],
  ['POST', 'responses', '{"model":"mine","input":"Hi","background":true}', RUNNING_ON],
  ['POST', 'responses', '{"model":"mine","input":"Hi","Background":true}', RUNNING_ON],
  ['POST', 'responses', '{"model":"mine","input":"Hi","background":false,"background":true}', RUNNING_ON],
  ['POST', 'responses', '{"input":"Hi"}', UNNAMED],
  ['POST', 'chat/completions', `{${HI}}`, UNNAMED],
  ['POST', 'chat/completions?model=other', `{${HI}}`, UNNAMED],
  ['POST', 'chat/completions', `{"Model":"other",${HI}}`, UNNAMED],
  ['POST', 'moderations', '{"model":"","input":"Hi"}', UNNAMED],
  ['GET', 'files', null, PASSING],
  ['DELETE', 'files/file-1', null, PASSING],
  ['POST', 'threads/t/runs/r/cancel', null, PASSING],
  ['GET', 'responses/resp_1', null, PASSING],
  ['GET', 'responses/resp_1/input_items', null, PASSING],
  ['GET', 'messages/batches/b/results', null, PASSING],
  ['POST', 'things', '{"model":"mine"}', PASSING],
  ['POST', 'things', '{}', PASSING_UNRESTRICTED],
  ['POST', 'messages/batches', '{"requests":[{"params":{"model":"other"}}]}', PASSING_UNRESTRICTED],
  [
    'POST',
    'messages/batches',
    '{"model":"mine","requests":[{"params":{"model":"other"}}]}',
    PASSING_UNRESTRICTED,
  ],
  [
    'POST',
    'messages/batches',
    '{"model":"mine","requests":[{"params":{"Mod\\u0065l":"other"}}]}',
    PASSING_UNRESTRICTED,
  ],
  ['POST', 'batches', '{"model":"mine","input_file_id":"f"}', PASSING_UNRESTRICTED],
  ['POST', 'batches', '{"model":"mine","a":[{"fallbacks" : []}]}', PASSING_UNRESTRICTED],
  ['POST', 'things', '{"model":"mine","text":"\\"model\\":\\"other\\", \\\\","models_of_mine":1}', PASSING],
  ['POST', 'engines/other/completions', '{"model":"mine"}', PASSING_UNRESTRICTED],
  ['POST', 'openai/Deployments/other/chat', '{"model":"mine"}', PASSING_UNRESTRICTED],
  ['GET', 'openai/%6dodels/other', null, PASSING_UNRESTRICTED],
  ['GET', 'things?Model=other', null, PASSING_UNRESTRICTED],
  ['GET', 'things?models[]=other', null, PASSING_UNRESTRICTED],
  ['GET', 'things?deployment%5Fid=other', null, PASSING_UNRESTRICTED],
];

/** Other spellings of paths that have a row, and paths above the base URL: unknown to all who have a key. */
const UNKNOWN = [
  'chat//completions',
  'chat/%63ompletions',
  'chat%2Fcompletions',
  'chat%5Ccompletions',
  'CHAT/Completions',
  'chat/completions;x=1',
  'chat;y/completions',
  'Responses',
  'messages/Count_Tokens',
  'messages%2fcount_tokens',
  '..%2f..%2fadmin',
  'files/..%2f..%2fadmin',
  'files/%2e%2e%5cadmin',
  'files/..;/admin',
  'files/a%2F%2e%2E',
  'files/%ff',
];

test('who may use the paths of /v1 that are translated or passed on', { timeout: 60_000 }, async (t) => {
  const { app, headersOf, upstream } = await start(t);
  for (const [method, path, body, statuses] of ROWS) {
    for (const [index, who] of WHO.entries()) {
      const sentBefore = upstream.received.length;
      const status = await ask(app, { method, path, body, headers: headersOf[who] });
      assert.equal(status, statuses[index], `${method} ${path} ${body} as ${who}`);
      if (status !== 200)
        assert.equal(upstream.received.length, sentBefore, `${path} as ${who} reached the provider`);
    }
  }
  for (const path of UNKNOWN) {
    for (const method of ['GET', 'POST']) {
      const body = method === 'POST' ? `{"model":"mine",${HI}}` : null;
      for (const who of ['passing key', 'admin session', 'master key'] as const) {
        const status = await ask(app, { method, path, body, headers: headersOf[who] });
        assert.equal(status, 404, `${method} ${path} as ${who}`);
      }
    }
  }
});

describe('keys of clients and of providers', { timeout: 30_000 }, () => {
  test('nothing of the client’s keys and cookies reaches a provider, nothing of its account the client', async (t) => {
    const { app, upstream, key } = await start(t);
    upstream.answer = json(CHAT_ANSWER, 200, {
      'set-cookie': 'a=b',
      'anthropic-organization-id': 'org',
      'anthropic-ratelimit-requests-limit': '5',
      'openai-organization': 'org',
      'x-ipin-provider': 'forged',
      'x-ipin-error-code': 'forged',
      'request-id': 'req_theirs',
    });
    for (const [path, body] of [
      ['messages', `{"model":"mine",${HI}}`],
      ['messages', `{"model":"native",${HI}}`],
      ['messages/count_tokens', `{"model":"native",${HI}}`],
      ['responses', '{"model":"mine","input":"Hi"}'],
      ['things', '{}'],
    ] as const) {
      const sends = path.startsWith('messages')
        ? { authorization: 'Bearer sk-ant-subscription-0123456789', 'x-api-key': key }
        : { authorization: `Bearer ${key}` };
      const answer = await fetch(`${app.origin}/v1/${path}`, {
        method: 'POST',
        headers: {
          ...sends,
          'content-type': 'application/json',
          cookie: 'c=cookie-secret',
          'x-forwarded-for': '1.2.3.4',
        },
        body,
      });
      await answer.text();
      assert.equal(answer.status, 200, path);
      const sent = JSON.stringify(upstream.received.at(-1)?.rawHeaders);
      for (const secret of [key, 'subscription', 'cookie-secret', '1.2.3.4', 'x-api-key'])
        assert.ok(!sent.includes(secret), `${path} sent ${secret}: ${sent}`);
      const got = [...answer.headers].map((pair) => pair.join(': ')).join('\n');
      assert.doesNotMatch(got, /set-cookie|organization|anthropic-|forged|^request-id: req_theirs/m, path);
      assert.match(got, /^x-ipin-upstream-request-id: req_theirs$/m);
    }
  });

  test('a key of the provider’s in an error, its details too, is removed', async (t) => {
    const { app, upstream, key } = await start(t);
    const error = {
      message: 'Key sk-of-the-provider-0123456789 is bad',
      type: 'invalid_request_error',
      code: 'x',
      details: { key: 'sk-of-the-provider-0123456789' },
    };
    upstream.answer = json({ type: 'error', error }, 400);
    for (const [path, body] of [
      ['messages', `{"model":"mine",${HI}}`],
      ['messages', `{"model":"native",${HI}}`],
      ['responses', '{"model":"mine","input":"Hi"}'],
      ['things', '{}'],
    ] as const) {
      const text = await (await app.v1(path, body, key)).text();
      assert.match(text, /is bad/, path);
      assert.doesNotMatch(text, /sk-of-the-provider/, path);
    }
  });
});

test('a key with limits cannot let a response run on uncounted, nor count the tokens of a broken picture', {
  timeout: 30_000,
}, async (t) => {
  const { app, upstream } = await start(t);
  const key = await passingKey(app, { limits: makeLimits({ budgetTokens: 1_000 }) });
  const refused = await app.v1('responses', { model: 'mine', input: 'Hi', background: true }, key);
  const { error } = (await expectStatus(400, refused)) as { error: Record<string, unknown> };
  assert.deepEqual([error['code'], error['param']], ['unsupported_parameter', 'background']);
  const source = { type: 'base64', media_type: 'image/png', data: 'AAAA' };
  const messages = [{ role: 'user', content: [{ type: 'image', source }] }];
  for (const path of ['messages', 'messages/count_tokens'])
    await expectStatus(400, await app.v1(path, { model: 'native', max_tokens: 5, messages }));
  assert.equal(upstream.received.length, 0);
});

test('a key with a budget of tokens cannot spell its way around it', { timeout: 30_000 }, async (t) => {
  const { app } = await start(t);
  const key = await passingKey(app, { limits: makeLimits({ tpm: 1_000 }) });
  const body = '{"model":"mine","messages":[],"max_tokens":100000,"stream":true}';
  await (await app.v1('things', '{}', key)).text();
  for (const [path, status] of [
    ['chat/completions', 429],
    ['chat/%63ompletions', 404],
    ['chat//completions', 404],
  ] as const) {
    const answer = await app.v1(path, body, key);
    await answer.text();
    assert.equal(answer.status, status, path);
  }
});

interface Setting {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  readonly headersOf: Record<Who, Headers>;
  /** May pass through. */
  readonly key: string;
}

async function start(t: TestContext): Promise<Setting> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t);
  const apiKey = 'sk-of-the-provider-0123456789';
  await app.addProvider({ id: 'default', baseUrl: `${upstream.origin}/v1`, apiKey }, [
    { id: 'mine' },
    { id: 'other' },
  ]);
  await app.addProvider({ id: 'native', baseUrl: `${upstream.origin}/anthropic`, apiKey }, [
    { id: 'native' },
  ]);
  await expectStatus(200, await app.admin('PUT', '/api/admin/settings', { defaultProviderId: 'default' }));
  const user = { username: 'ann', password: 'a long password' };
  await expectStatus(201, await app.admin('POST', '/api/admin/users', user));
  const bearer = (value: string): Headers => ({ authorization: `Bearer ${value}` });
  const key = await passingKey(app, {});
  const headersOf = {
    nobody: {},
    'disabled key': bearer(await app.addKey({ enabled: false })),
    'user key': bearer(await app.addKey({})),
    'restricted key': bearer(await app.addKey({ models: ['mine'] })),
    'passing key': bearer(key),
    'restricted passing key': bearer(await passingKey(app, { models: ['mine'] })),
    'user session': cookieOf(app, await signIn(app.origin, user)),
    'admin session': cookieOf(app, await signIn(app.origin)),
    'master key': bearer(MASTER_KEY),
  };
  return { app, upstream, headersOf, key };
}

async function passingKey(app: AppUnderTest, fields: object): Promise<string> {
  const created = await app.admin('POST', '/api/admin/apikeys', { name: 'k', passThrough: true, ...fields });
  return ((await expectStatus(201, created)) as { key: string }).key;
}

function cookieOf(app: AppUnderTest, token: string): Headers {
  return { cookie: `${sessionCookieName(app.services.store.config.view().instanceId, false)}=${token}` };
}

/** The status. `fetch` would change some of the paths. */
function ask(
  app: AppUnderTest,
  asked: { method: string; path: string; body: string | null; headers: Headers },
): Promise<number> {
  const { headers } = jsonRequest(asked.method, null, asked.body ?? undefined);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      port: app.port,
      method: asked.method,
      path: `/v1/${asked.path}`,
      headers: { ...(headers as Headers), ...asked.headers },
      agent: false,
    });
    outgoing.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end(asked.body ?? undefined);
  });
}
