import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EXPECTED_ACCESS } from '../helpers/expected-access.ts';
import { CHAT_ANSWER, startUpstream } from '../helpers/fake-upstream.ts';
import { createRandom } from '../helpers/fuzz-random.ts';
import { type FuzzCase, type FuzzWorld, makeCase } from '../helpers/fuzz-requests.ts';
import { ADMIN, expectStatus, jsonRequest, MASTER_KEY, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, type ServerProcess, startServer } from '../helpers/start-server.ts';

const IS_LONG = process.env['IPIN_LONG'] === '1';
const SEED = Number(process.env['IPIN_FUZZ_SEED'] ?? randomInt(2 ** 31));
/** If set, only this case of a seed runs. */
const ONLY = process.env['IPIN_FUZZ_CASE'];
const CASES = ONLY === undefined ? 1_500 : 1;
const LONG_MS = 10 * 60_000;
/** The state is restored after this many cases. */
const BATCH = 500;
const AT_ONCE = 24;
/** Longer than any delay of the server's own, shorter than its timeout for a silent client. */
const HANG_MS = 20_000;
/** A broken request may look like the start of a longer one; this is how long the server has to wait for its end. */
const PATIENCE_MS = 100;
const USER = { username: 'fuzz', password: 'a long password' } as const;

test('no request, valid or broken, crashes the server, hangs, or causes an internal error', {
  timeout: IS_LONG ? LONG_MS + 120_000 : 120_000,
}, async (t) => {
  const server = await start(t);
  const backup = await setUp(t, server);
  const startedAt = Date.now();
  let count = 0;
  while (IS_LONG ? Date.now() - startedAt < LONG_MS : count < CASES) {
    const world = await renewWorld(server, backup);
    if (ONLY === undefined) await runBatch(server, world, count);
    else await runCase(server, makeCase(createRandom(SEED, Number(ONLY)), world), Number(ONLY));
    count += BATCH;
    requireSound(server);
  }
  t.diagnostic(`${count} cases, IPIN_FUZZ_SEED=${SEED}`);
  await settle('its connections', () => openConnections(server.port), 0);
  const metrics = async (name: string): Promise<number> => {
    const answer = await fetch(`${server.origin}/metrics`, jsonRequest('GET', `Bearer ${MASTER_KEY}`));
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await answer.text())?.[1] ?? Number.NaN);
  };
  await settle('its budget', () => metrics('ipin_inflight_bytes'), 0);
  await settle('its requests but this one', () => metrics('ipin_running_requests'), 1);
  assert.equal((await fetch(`${server.origin}/health`)).status, 200);
  assert.equal(await server.stop(), 0);
  assert.equal(server.stderr(), '');
});

async function start(t: TestContext): Promise<ServerProcess> {
  const folder = makeTestFolder(t);
  return startServer(t, {
    folder,
    env: {
      MASTER_API_KEY: MASTER_KEY,
      UI_USERNAME: ADMIN.username,
      UI_PASSWORD: ADMIN.password,
      ENCRYPTION_KEY: 'a key for the fuzz test',
      DB_PATH: join(folder, 'fuzz.db'),
      LOG_LEVEL: 'info',
      SHUTDOWN_GRACE_MS: '2000',
    },
  });
}

/** Creates a provider of each dialect with models, a user, and keys of both kinds; returns the backup that restores them. */
async function setUp(t: TestContext, server: ServerProcess): Promise<string> {
  const upstream = await startUpstream(t, answerSomehow);
  const token = await signIn(server.origin);
  const create = async (kind: string, body: object): Promise<{ id: string }> => {
    const answer = await fetch(
      `${server.origin}/api/admin/${kind}`,
      jsonRequest('POST', `Bearer ${token}`, body),
    );
    return (await expectStatus(201, answer)) as { id: string };
  };
  const provider = { baseUrl: `${upstream.origin}/v1`, apiKey: 'the key of the provider' };
  await create('providers', { id: 'up', name: 'up', ...provider });
  await create('providers', { id: 'chute', name: 'chute', type: 'chutes', ...provider });
  await create('models', { id: 'm', name: 'm', providerId: 'up' });
  await create('models', { id: 'alias', name: 'alias', providerId: 'up', upstreamModel: 'upstream-model' });
  await create('models', { id: 'c', name: 'c', providerId: 'chute' });
  const { id } = await create('users', { ...USER, models: ['m', 'c'] });
  await create('apikeys', { name: 'all', key: ALL_KEY });
  await create('apikeys', { name: 'narrow', key: NARROW_KEY, userId: id, models: ['m'] });
  const backup = await fetch(`${server.origin}/api/admin/backup`, jsonRequest('GET', `Bearer ${token}`));
  assert.equal(backup.status, 200);
  return backup.text();
}

const ALL_KEY = 'sk-fuzz-all-0123456789abcdefghij';
const NARROW_KEY = 'sk-fuzz-narrow-0123456789abcdefg';

/** Restores whatever earlier cases changed; nobody is signed out. */
async function renewWorld(server: ServerProcess, backup: string): Promise<FuzzWorld> {
  const own = await signIn(server.origin);
  const restore = jsonRequest('POST', `Bearer ${own}`, backup);
  await expectStatus(200, await fetch(`${server.origin}/api/admin/restore`, restore));
  const admin = await signIn(server.origin);
  const user = await signIn(server.origin, USER);
  // The live requests have no end, so a case with them would have none.
  const [first, ...rest] = Object.keys(EXPECTED_ACCESS).filter((row) => !row.endsWith('/live'));
  assert.ok(first !== undefined);
  return {
    rows: [first, ...rest],
    keys: [
      `Authorization: Bearer ${MASTER_KEY}`,
      `authorization: bearer  ${ALL_KEY} `,
      `x-api-key: ${NARROW_KEY}`,
      `api-key: ${ALL_KEY}`,
    ],
    sessions: [
      `Authorization: Bearer ${admin}`,
      `Authorization: Bearer ${admin}`,
      `Authorization: Bearer ${user}`,
    ],
  };
}

async function runBatch(server: ServerProcess, world: FuzzWorld, first: number): Promise<void> {
  let next = first;
  const worker = async (): Promise<void> => {
    while (next < first + BATCH) {
      const index = next;
      next += 1;
      await runCase(server, makeCase(createRandom(SEED, index), world), index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function runCase(server: ServerProcess, given: FuzzCase, index: number): Promise<void> {
  const what = `IPIN_FUZZ_SEED=${SEED}, case ${index} (${given.end}): ${given.name}`;
  const received = await exchange(server.port, given, what);
  const text = received.toString('latin1');
  assert.ok(!text.includes('internal_error'), `${what}\n${text.slice(0, 1_000)}\n${faultsOf(server)}`);
  // A pipelining client that is cut off for an early request may lose answers it has not read yet.
  if (given.end === 'whole' && given.requests === 1)
    assert.match(text, /^HTTP\/1\.1 \d{3} /, `${what}: no answer`);
}

/** Sends a case and returns the received bytes once the connection is closed. */
function exchange(port: number, given: FuzzCase, what: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Wrong passwords count by address, and the cases' attempts must not lock out the test itself.
    const localAddress = process.platform === 'linux' ? { localAddress: '127.0.0.2' } : {};
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...localAddress });
    const chunks: Buffer[] = [];
    const pieces = [...given.pieces];
    const hang = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(`${what} hangs; received ${Buffer.concat(chunks).toString('latin1').slice(0, 1_000)}`),
      );
    }, HANG_MS);
    let patience: NodeJS.Timeout | undefined;
    const writeNext = (): void => {
      const piece = pieces.shift();
      if (piece !== undefined) socket.write(piece, () => setImmediate(writeNext));
      else if (given.end === 'gone') socket.destroy();
      else if (given.end === 'broken') patience = setTimeout(() => socket.end(), PATIENCE_MS);
    };
    socket.on('connect', writeNext);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(hang);
      clearTimeout(patience);
      resolve(Buffer.concat(chunks));
    });
  });
}

/** The internal errors and crashes in the server's log. */
function faultsOf(server: ServerProcess): string {
  return server
    .stdout()
    .split('\n')
    .filter((line) => /"event":"(internal error|crash)"/.test(line))
    .join('\n');
}

function requireSound(server: ServerProcess): void {
  assert.equal(faultsOf(server), '', `IPIN_FUZZ_SEED=${SEED}`);
  assert.ok(server.isRunning(), `IPIN_FUZZ_SEED=${SEED}: ${server.stdout().slice(-2_000)}${server.stderr()}`);
}

/** The server's side of the cases' connections (proc(5): local and remote address, state, hexadecimal). */
function openConnections(port: number): number {
  if (process.platform !== 'linux') return 0;
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address = '', remote = '']) => address.endsWith(local) && remote.startsWith('0200007F'))
    .filter(([, , , state = '']) => ['01', '08'].includes(state)).length;
}

async function settle(what: string, read: () => number | Promise<number>, expected: number): Promise<void> {
  const endsAt = Date.now() + HANG_MS;
  let found = await read();
  while (found !== expected && Date.now() < endsAt) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    found = await read();
  }
  assert.equal(found, expected, `IPIN_FUZZ_SEED=${SEED}: ${what}`);
}

const SPEECH = '{"text":"hello","chunks":[{"timestamp":[0,1],"text":"hello"}]}';
const EVENTS = `data: ${JSON.stringify({ ...CHAT_ANSWER, object: 'chat.completion.chunk' })}\n\ndata: [DONE]\n\n`;
type Act = (res: ServerResponse) => void;
const answerWith =
  (status: number, type: string, body: string): Act =>
  (res) =>
    void res.writeHead(status, { 'content-type': type }).end(body);

/** Mostly valid responses; the rest is how faulty upstreams behave. */
const ACTS: readonly Act[] = [
  answerWith(200, 'application/json', JSON.stringify(CHAT_ANSWER)),
  answerWith(200, 'application/json', JSON.stringify(CHAT_ANSWER)),
  answerWith(200, 'text/event-stream', EVENTS),
  answerWith(200, 'text/event-stream', EVENTS.slice(0, 60)),
  answerWith(200, 'application/json', SPEECH),
  answerWith(200, 'application/json', '{"data":[{"embedding":"AACAPwAAIMA=","index":0}],"model":"m"}'),
  answerWith(200, 'application/json', '{"broken'),
  answerWith(200, 'audio/mpeg', 'ID3'),
  answerWith(429, 'application/json', '{"error":{"message":"slower"}}'),
  answerWith(401, 'text/html', '<h1>no</h1>'),
  answerWith(500, 'text/plain', ''),
  (res) => void res.destroy(),
  (res) => void res.writeHead(200, { 'content-type': 'application/json' }).write('{"a', () => res.destroy()),
];

/** The request decides the behaviour, so that a case meets the same behaviour every time. */
function answerSomehow(_req: IncomingMessage, res: ServerResponse, { body }: { body: Buffer }): void {
  const sum = body.reduce((before, byte) => before + byte, 0);
  ACTS[sum % ACTS.length]?.(res);
}
