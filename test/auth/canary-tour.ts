import { EXPECTED_ACCESS } from '../helpers/expected-access.ts';
import type { Answer } from '../helpers/fake-upstream.ts';

/** The secrets of the tour. They have what JSON, URLs and headers must escape. */
export const SECRETS = {
  provider: 'cnry-prov-"q\\uote%20+/=7f3a9b21',
  master: 'cnry-mast-"q\\uote%20+/=5d0c44e8',
  encryption: 'cnry-encr-"q\\uote%20+/=é61b7a90c',
  uiPassword: 'cnry-boss-"q\\uote%20+/=é83ab11f7',
  userPassword: 'cnry-user-"q\\uote%20+/=é0d57ce46',
  newPassword: 'cnry-newp-"q\\uote%20+/=é4e8f2a13',
  customKey: 'cnry-cust-"q\\uote%20+/=9c25d6b0',
  webhook: 'cnry-hook-"q\\uote%20+/=6a1d93f2',
  snapshotKey: 'cnry-snap-"q\\uote%20+/=é7710fa3e',
  snapshotToken: 'cnry-tokn-q.uote~20+/=2fb8e915',
  passphrase: 'cnry-pass-"q\\uote%20+/=éa40c97d2',
} as const;

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, a string as it stands. */
  readonly body?: unknown;
  /** What this answer shows on purpose. */
  readonly shows?: readonly string[];
}

export interface TourFacts {
  readonly admin: string;
  readonly user: string;
  readonly userKey: string;
  readonly userId: string;
  readonly keyId: string;
  /** A backup as it was downloaded. */
  readonly backup: string;
}

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
const { provider, customKey, userPassword, uiPassword, newPassword, passphrase, master, webhook } = SECRETS;

/** Bodies that hold secrets where they belong, and where they do not. */
const BODIES: Readonly<Record<string, readonly unknown[]>> = {
  'POST /api/login': [
    { username: 'boss', password: userPassword },
    { username: 'anna', password: uiPassword },
    { username: 'anna', password: [userPassword] },
    `{"username":"anna","password":${JSON.stringify(userPassword)}`,
  ],
  'POST /api/admin/providers': [
    { id: 'second', name: 'second', baseUrl: 'http://127.0.0.1:9', apiKey: provider },
    { id: 'second', name: 'taken', baseUrl: 'http://127.0.0.1:9', apiKey: provider },
    { name: 'bad', baseUrl: 'not an address', apiKey: provider },
    { name: 'bad', baseUrl: 'http://127.0.0.1:9', apiKey: `${provider}\n` },
    { name: 'bad', baseUrl: 'http://127.0.0.1:9', apiKey: { key: provider } },
    `{"name":"bad","apiKey":${JSON.stringify(provider)},`,
  ],
  'PUT /api/admin/providers/:id': [
    { apiKey: provider },
    { baseUrl: 'http://127.0.0.2:9' },
    { options: { x: 1 } },
  ],
  'POST /api/admin/providers/:id/keys': [
    { apiKey: provider },
    { apiKey: `${provider}-two` },
    { apiKey: [provider] },
    { apiKey: `${provider}\n\n${provider}` },
  ],
  'PUT /api/admin/providers/:id/keys/:keyId': [{ enabled: false }, { enabled: provider }],
  'PUT /api/admin/settings': [
    { alertWebhook: { url: 'http://127.0.0.1:9/hook', secret: webhook } },
    { alertWebhook: { url: 'http://127.0.0.2:9/hook' } },
    { alertWebhook: { secret: [webhook] } },
    { alertWebhook: { secret: `${webhook}\n` } },
  ],
  'POST /api/admin/models': [{ id: 'n', name: 'n', providerId: 'up' }, { id: 'n' }],
  'PUT /api/admin/models/:id': [{ name: 'M' }, { providerId: 'nope' }],
  'POST /api/admin/apikeys': [
    { name: 'again', key: customKey },
    { name: 'the master’s', key: master },
    { name: 'bad', key: `${customKey}é` },
    { name: 'bad', key: [customKey] },
  ],
  'PUT /api/admin/apikeys/:id': [{ name: 'renamed', key: customKey }, { models: 'all' }],
  'POST /api/admin/users': [
    { username: 'anna', password: userPassword },
    { username: 'new', password: `${userPassword}\0` },
    { username: 'new', password: { is: userPassword } },
  ],
  'PUT /api/admin/users/:id': [{ name: 'Anna' }, { password: [userPassword] }],
  'POST /api/user/apikeys': [{ name: 'again', key: customKey }],
  'PUT /api/user/apikeys/:id': [{ name: 'renamed', key: customKey }],
  'PUT /api/user/password': [
    { currentPassword: newPassword, newPassword: userPassword },
    { currentPassword: userPassword, newPassword: [newPassword] },
    { currentPassword: userPassword, newPassword },
  ],
};

/** Every route of the server, by everybody, with what goes wrong; what ends a session or an object comes last. */
export function planTour(facts: TourFacts): Call[] {
  const calls: Call[] = [];
  for (const row of Object.keys(EXPECTED_ACCESS)) {
    const [method = '', path = ''] = row.split(' ');
    if (path.endsWith('/logout') || method === 'DELETE') continue;
    // A stream without an end, of what the list shows.
    if (path.endsWith('/live')) continue;
    const concrete = path.replace(/[:*]id/, idFor(path, facts));
    const bodies = BODIES[row] ?? [method === 'GET' ? undefined : path.startsWith('/v1/') ? CHAT : {}];
    const token = path.startsWith('/api/user') ? facts.user : facts.admin;
    for (const body of bodies) {
      calls.push({ method, path: concrete, body, headers: bearer(path.startsWith('/v1/') ? master : token) });
    }
    // A sign-in asks for no key, and takes long.
    if (path.endsWith('/login')) continue;
    for (const key of [customKey, facts.userKey, facts.user]) {
      calls.push({ method, path: concrete, body: bodies[0], headers: bearer(key) });
    }
  }
  return [...calls, ...backupCalls(facts), ...keyCalls(), ...upstreamCalls(facts)];
}

/** What ends something. */
export function planEnd(facts: TourFacts): Call[] {
  const ends = ['apikeys/nope', 'users/nope', 'models/nope', 'providers/up', `apikeys/${facts.keyId}`];
  return [
    ...ends.map((path) => ({ method: 'DELETE', path: `/api/admin/${path}`, headers: bearer(facts.admin) })),
    { method: 'POST', path: '/api/user/logout', headers: bearer(facts.user) },
    { method: 'DELETE', path: `/api/admin/users/${facts.userId}`, headers: bearer(facts.admin) },
    { method: 'POST', path: '/api/admin/logout', headers: bearer(facts.admin) },
    { method: 'GET', path: '/api/admin/me', headers: bearer(facts.admin) },
  ];
}

function idFor(path: string, facts: TourFacts): string {
  if (path.includes('/providers/')) return 'up';
  if (path.includes('/apikeys/')) return facts.keyId;
  return path.includes('/users/') ? facts.userId : 'm';
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

function backupCalls({ admin, backup }: TourFacts): Call[] {
  const path = '/api/admin/restore?dryRun=true';
  const withPassphrase = { ...bearer(admin), 'x-backup-passphrase': encodeURIComponent(passphrase) };
  return [
    { method: 'GET', path: '/api/admin/backup', headers: withPassphrase },
    { method: 'GET', path: '/api/admin/backup?secrets=omit', headers: bearer(admin) },
    { method: 'POST', path, headers: bearer(admin), body: backup },
    { method: 'POST', path, headers: withPassphrase, body: backup },
    { method: 'POST', path, headers: bearer(admin), body: backup.replace('scrypt$', 'broken$') },
    { method: 'POST', path, headers: bearer(admin), body: { providers: [{ name: 'x', apiKey: provider }] } },
    { method: 'POST', path, headers: bearer(admin), body: { apiKeys: [{ key: customKey }], providers: [7] } },
  ];
}

/** Keys where none belong. */
function keyCalls(): Call[] {
  const path = '/v1/models';
  return [
    { method: 'GET', path: `${path}?key=${encodeURIComponent(customKey)}` },
    { method: 'GET', path: `${path}?api_key=${encodeURIComponent(master)}` },
    { method: 'GET', path, headers: { authorization: customKey } },
    { method: 'GET', path, headers: { authorization: `Token ${master}` } },
    { method: 'GET', path, headers: { ...bearer(customKey), 'x-api-key': master } },
    {
      method: 'GET',
      path,
      headers: { authorization: `Basic ${Buffer.from(`boss:${master}`).toString('base64')}` },
    },
    { method: 'GET', path: '/metrics', headers: bearer(master) },
    { method: 'GET', path: '/metrics', headers: bearer(customKey) },
    { method: 'PATCH', path: '/api/login', headers: bearer(master), body: { password: uiPassword } },
    { method: 'POST', path: '/nowhere', headers: bearer(master), body: { key: master } },
  ];
}

/** Each act of the provider that shows the key it was sent, on every way to it; what it says as a success passes. */
function upstreamCalls({ admin }: TourFacts): Call[] {
  return Object.keys(ECHOES).flatMap((act): Call[] => {
    const body = { ...CHAT, user: act };
    const headers = { ...bearer(master), 'idempotency-key': act };
    const refused = { ...headers, 'idempotency-key': /^\d/.test(act) ? act : 'text' };
    // A key that the last call found refused or busy would not be sent.
    const wake = { method: 'POST', path: '/api/admin/providers/up/wake', headers: bearer(admin) };
    const calls: Call[] = [
      { method: 'POST', path: '/v1/chat/completions', headers, body },
      { method: 'POST', path: '/v1/chat/completions', headers, body: { ...body, stream: true } },
      { method: 'POST', path: '/v1/embeddings', headers, body: { model: 'm', input: act } },
      {
        method: 'POST',
        path: '/v1/audio/speech',
        headers: refused,
        body: { model: 'm', input: 'a', voice: 'x' },
      },
      {
        method: 'POST',
        path: '/v1/ocr',
        headers,
        body: { model: 'm', image_url: 'https://127.0.0.1/a.png' },
      },
    ];
    return [
      ...calls.flatMap((call) => [wake, call]),
      { method: 'POST', path: `/api/admin/providers/${act}/test`, headers: bearer(admin) },
      { method: 'GET', path: `/api/admin/providers/${act}/upstream-models`, headers: bearer(admin) },
    ];
  });
}

const say = (status: number, type: string, text: (key: string) => string): Answer => {
  return (req, res) => {
    const body = text(req.headers.authorization ?? '');
    res.writeHead(status, { 'content-type': type });
    res.end(body);
  };
};
const JSON_TYPE = 'application/json';
const errorOf = (key: string): string =>
  JSON.stringify({
    error: {
      message: `bad ${key}`,
      type: key,
      param: key,
      code: key,
      seen: [{ [key]: key }],
      headers: { a: key },
    },
  });

/** What careless providers say of the key that they were sent. */
export const ECHOES: Readonly<Record<string, Answer>> = {
  400: say(400, JSON_TYPE, errorOf),
  401: say(401, JSON_TYPE, errorOf),
  403: say(403, JSON_TYPE, errorOf),
  429: say(429, JSON_TYPE, errorOf),
  500: say(500, JSON_TYPE, errorOf),
  hidden: say(200, JSON_TYPE, errorOf),
  text: say(400, 'text/plain', (key) => `Your key is ${key.replace('Bearer ', '')}, which is wrong`),
  dump: say(500, 'text/plain', (key) => `request headers: ${JSON.stringify({ authorization: key })}`),
  nested: say(500, JSON_TYPE, (key) => JSON.stringify({ error: { message: JSON.stringify({ key }) } })),
  url: say(404, 'text/plain', (key) => `GET /x?key=${encodeURIComponent(key.replace('Bearer ', ''))}`),
  html: say(502, 'text/html', (key) => `<pre>${key}</pre>`),
  detail: say(422, JSON_TYPE, (key) => JSON.stringify({ detail: [{ loc: ['header', key], msg: key }] })),
  broken: say(200, JSON_TYPE, (key) => `{"error":"${key}`),
  empty: say(200, 'text/html', (key) => key),
  stream: say(200, 'text/event-stream', (key) => `data: ${errorOf(key)}\n\n`),
  redirect: (req, res) => {
    res.writeHead(307, {
      location: `http://127.0.0.1:9/?${encodeURIComponent(req.headers.authorization ?? '')}`,
    });
    res.end();
  },
  cut: (req, res) => {
    res.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': '1000' });
    res.write(`{"error":"${req.headers.authorization}`, () => res.destroy());
  },
};
