import type { Random } from './fuzz-random.ts';

export interface FuzzBody {
  readonly contentType: string;
  readonly bytes: Buffer;
}

const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02', 'hex');
const PNG_URL = `data:image/png;base64,${PNG.toString('base64')}`;
/** The only address that a provider gets here: nothing else is ever connected to. */
const BASE_URL = 'http://127.0.0.1:9/v1';

/** A sound body for each row that takes one. */
const SAMPLES: Readonly<Record<string, Record<string, unknown>>> = {
  'POST /v1/chat/completions': {
    model: 'm',
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      { role: 'system', content: 'ü\u2028' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hi' },
          { type: 'image_url', image_url: { url: PNG_URL } },
          { type: 'image_url', image_url: PNG_URL },
        ],
      },
    ],
  },
  'POST /v1/completions': { model: 'alias', prompt: 'once', stream: false },
  'POST /v1/responses': {
    model: 'alias',
    stream: true,
    input: [{ role: 'user', content: [{ type: 'input_image', image_url: PNG_URL }] }],
  },
  'POST /v1/moderations': { model: 'm', input: ['a', 'b'] },
  'POST /v1/rerank': { model: 'm', query: 'q', documents: ['a', 'b'] },
  'POST /v1/embeddings': { model: 'm', input: ['a'], encoding_format: 'base64' },
  'POST /v1/images/generations': { model: 'm', prompt: 'a dog', n: 1 },
  'POST /v1/audio/speech': { model: 'm', input: 'hello', voice: 'alloy' },
  'POST /v1/ocr': { model: 'm', prompt: 'read', image_url: { url: PNG_URL } },
  'POST /api/login': { username: 'ghost', password: 'not a password' },
  'POST /api/admin/login': { username: 'ghost', password: 'not a password' },
  'POST /api/user/login': { username: 'ghost', password: 'not a password' },
  'POST /api/admin/providers': { name: 'new', type: 'chutes', apiKey: 'fuzz-key', options: {} },
  'PUT /api/admin/providers/:id': { enabled: true, apiKey: 'fuzz-key', options: { pathMode: 'exact' } },
  'POST /api/admin/providers/:id/keys': { apiKey: 'another-fuzz-key' },
  'PUT /api/admin/providers/:id/keys/:keyId': { enabled: false },
  'POST /api/admin/models': { id: 'new', name: 'New', providerId: 'up', upstreamModel: null, vision: true },
  'PUT /api/admin/models/:id': {
    name: 'Renamed',
    enabled: true,
    vision: null,
    weight: 2,
    fallbacks: [{ providerId: 'up', upstreamModel: 'x', weight: null }],
    options: { maxOutputTokens: 5, defaults: { a: 1 }, drop: ['b'], rename: { c: 'd' } },
  },
  'POST /api/admin/apikeys': { name: 'k', models: ['m', 'a*'], userId: null, expiresAt: '2090-01-01' },
  'PUT /api/admin/apikeys/:id': { name: 'k', enabled: true, models: null },
  'POST /api/admin/users': { username: 'new', password: 'long enough', models: ['m'] },
  'PUT /api/admin/users/:id': { name: 'Renamed', enabled: true, models: ['*'] },
  'POST /api/admin/restore': { format: 'ipin-proxy-backup', version: 1, config: {}, checksum: '' },
  'PUT /api/user/password': { currentPassword: 'not a password', newPassword: 'long enough' },
  'POST /api/user/apikeys': { name: 'mine', models: ['m'] },
  'PUT /api/user/apikeys/:id': { name: 'mine', enabled: false },
};

/** The longer ones are more than what is not counted against the budget. */
const PADS = [300_000, 1_100_000, 2_300_000] as const;
const WAV = Buffer.from(`RIFF\x24\0\0\0WAVEfmt ${'\0'.repeat(40)}`, 'latin1');

const HOSTILE: readonly [unknown, ...unknown[]] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  '\0',
  '\ud800',
  'm',
  'alias',
  'c',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(5_000),
  '\u202e\r\nset-cookie: a=b',
  '../../etc/passwd',
  'data:image/png;base64,####',
  'data:image/svg+xml;base64,PHN2Zz4=',
  'data:,',
  'file:///etc/passwd',
  PNG_URL.slice(0, -7),
  [],
  {},
  [[[[[[[[]]]]]]]],
  { __proto__: null, constructor: { prototype: { polluted: true } } },
  Array.from({ length: 600 }, (_, index) => ({ image_url: { url: `data:image/png;base64,${index}` } })),
];

/** A body for a row: sound at times, mostly not. Its form need not be the one that the row takes. */
export function makeBody(random: Random, row: string): FuzzBody {
  const isForm = row.includes('/audio/t') || /images\/(edits|variations)|ocr/.test(row);
  if (random.chance(isForm ? 0.7 : 0.03)) return makeForm(random);
  const bytes = makeJson(random, row);
  const contentType = random.chance(0.95)
    ? 'application/json'
    : random.pick([
        'text/plain',
        'application/json; charset=utf-16',
        'application/x-www-form-urlencoded',
        '',
      ]);
  return { contentType, bytes };
}

/** True of rows whose bodies name an address to connect to: those are not broken up byte by byte. */
export function namesAddress(row: string): boolean {
  return /^(POST|PUT) \/api\/admin\/providers(\/:id)?$/.test(row);
}

function makeJson(random: Random, row: string): Buffer {
  const value: unknown = structuredClone(SAMPLES[row] ?? {});
  let changed = value;
  for (let edits = random.int(4); edits > 0; edits -= 1) changed = mutate(random, changed);
  if (namesAddress(row)) {
    const fields = typeof changed === 'object' && !Array.isArray(changed) ? changed : {};
    return Buffer.from(JSON.stringify({ ...fields, baseUrl: BASE_URL }));
  }
  let text = JSON.stringify(changed) ?? '';
  if (random.chance(0.05)) text = text.replace('{', '{"model":"m","MODEL":"c",');
  if (random.chance(0.03)) text = `${'['.repeat(random.int(300))}${text}`;
  if (random.chance(0.03)) text = text.replaceAll(',', `,${' \n\t'.repeat(random.int(2_000))}`);
  if (random.chance(0.02)) text = `{"pad":"${'p'.repeat(random.pick(PADS))}",${text.slice(1)}`;
  return mutateBytes(random, Buffer.from(text), 0.2);
}

/** Replaces, removes or adds a value somewhere inside. */
function mutate(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.08)) return random.pick(HOSTILE);
  const names = Object.keys(value);
  const name = names[random.int(names.length)];
  if (name === undefined || random.chance(0.1)) {
    return Array.isArray(value)
      ? [...value, random.pick(HOSTILE)]
      : { ...value, extra: random.pick(HOSTILE) };
  }
  const inner: unknown = Reflect.get(value, name);
  if (Array.isArray(value))
    return value.map((item: unknown) => (item === inner ? mutate(random, item) : item));
  if (random.chance(0.15)) return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
  return { ...value, [name]: mutate(random, inner) };
}

/** With some probability a few bytes are changed, cut out or doubled. */
export function mutateBytes(random: Random, bytes: Buffer, probability: number): Buffer {
  if (!random.chance(probability)) return bytes;
  let changed = bytes;
  for (let edits = 1 + random.int(4); edits > 0; edits -= 1) {
    const at = random.int(changed.length + 1);
    const removed = random.int(4);
    const added = random.pick([
      Buffer.alloc(0),
      Buffer.from([random.int(256)]),
      Buffer.from(random.pick(['"', '\\', '{', '}', '\r\n', '\0', ':', ' ', '\r\n\r\n', '\ufeff', '0'])),
      changed.subarray(at, at + random.int(40)),
    ]);
    changed = Buffer.concat([changed.subarray(0, at), added, changed.subarray(at + removed)]);
  }
  return changed;
}

function makeForm(random: Random): FuzzBody {
  const boundary = random.pick(['b', '----WebKitFormBoundaryAbC', "a'()+_,-./:=?", 'x'.repeat(70)]);
  const lineEnd = random.chance(0.95) ? '\r\n' : '\n';
  const pieces: Buffer[] = [];
  for (let parts = random.int(7); parts >= 0; parts -= 1) {
    const head = [`--${boundary}`, `Content-Disposition: form-data; name=${partName(random)}`];
    if (random.chance(0.2))
      head.push(random.pick(['Content-Type: image/png', 'X: y', 'Content-Type:', 'bad']));
    pieces.push(Buffer.from([...head, '', ''].join(lineEnd)), partContent(random), Buffer.from(lineEnd));
  }
  if (random.chance(0.9)) pieces.push(Buffer.from(`--${boundary}--${lineEnd}`));
  const quoted = random.chance(0.8) ? `"${boundary}"` : boundary;
  const contentType = random.chance(0.95)
    ? `multipart/form-data; boundary=${quoted}`
    : random.pick(['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/mixed; boundary=b']);
  return { contentType, bytes: mutateBytes(random, Buffer.concat(pieces), 0.3) };
}

function partName(random: Random): string {
  return random.pick([
    '"model"',
    '"model"',
    '"file"; filename="a.wav"',
    '"file"; filename="a.wav"',
    '"image"; filename="a.png"',
    '"image[]"; filename="../b.png"',
    '"prompt"',
    '"response_format"',
    '"stream"',
    '"timestamp_granularities[]"',
    '""',
    '"__proto__"',
    "file; filename*=UTF-8''%zz",
    `"${'n'.repeat(2_000)}"`,
  ]);
}

function partContent(random: Random): Buffer {
  return random.pick([
    Buffer.from('m'),
    Buffer.from('m'),
    Buffer.from('c'),
    Buffer.from('srt'),
    Buffer.from('verbose_json'),
    Buffer.from('true'),
    Buffer.alloc(0),
    PNG,
    WAV,
    random.chance(0.2) ? Buffer.concat([WAV, Buffer.alloc(random.pick(PADS))]) : WAV,
    Buffer.alloc(random.int(20_000), 0x2d),
  ]);
}
