import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type FakeUpstream, startUpstream } from '../helpers/fake-upstream.ts';
import { expectStatus, jsonRequest } from '../helpers/start-app.ts';
import { makeTestFolder, type ServerProcess, startServer } from '../helpers/start-server.ts';
import { startPutGet } from '../offsite/put-get-server.ts';
import { findSecrets, readTree, type Trace } from './canary-search.ts';
import { type Call, ECHOES, planEnd, planTour, SECRETS, type TourFacts } from './canary-tour.ts';

/** Everything that was answered, and the secrets that the server itself made on the way. */
interface Tour {
  readonly server: ServerProcess;
  readonly traces: Trace[];
  readonly secrets: Map<string, string>;
}

test('no secret is anywhere but where it is shown on purpose', { timeout: 60_000 }, async (t) => {
  const folder = makeTestFolder(t);
  const [work, data, temporary] = ['work', 'data', 'tmp'].map((name) => join(folder, name));
  assert.ok(work !== undefined && data !== undefined && temporary !== undefined);
  for (const path of [work, data, temporary]) mkdirSync(path);
  const upstream = await startEcho(t);
  const copies = await startPutGet(t);
  copies.token = SECRETS.snapshotToken;
  const server = await startServer(t, {
    folder: work,
    env: {
      MASTER_API_KEY: SECRETS.master,
      UI_USERNAME: 'boss',
      UI_PASSWORD: SECRETS.uiPassword,
      ENCRYPTION_KEY: SECRETS.encryption,
      ENCRYPTION_KEY_PREVIOUS: SECRETS.encryption.replace('encr', 'prev'),
      DB_PATH: join(data, 'ipin.db'),
      SNAPSHOT_URL: copies.url,
      SNAPSHOT_KEY: SECRETS.snapshotKey,
      SNAPSHOT_TOKEN: SECRETS.snapshotToken,
      LOG_LEVEL: 'debug',
      TMPDIR: temporary,
      SHUTDOWN_GRACE_MS: '2000',
    },
  });
  const secrets = new Map<string, string>(Object.entries(SECRETS));
  const tour: Tour = { server, traces: [], secrets };
  const facts = await setUp(tour, upstream);
  for (const call of planTour(facts)) await make(tour, call);
  const whileRunning = [...readTree(data), ...readTree(temporary)];
  // Refused, with what was sent: the copy of the last changes cannot be written.
  copies.intercept = (req, res) => {
    res.writeHead(500).end(`${req.headers.authorization}`);
    return true;
  };
  for (const call of planEnd(facts)) await make(tour, call);
  const commandLine = procFile(server.pid, 'cmdline');
  const environment = procFile(server.pid, 'environ');
  await server.stop();
  const kept: Trace[] = [
    ...whileRunning,
    ...readTree(work),
    ...readTree(data),
    ...readTree(temporary),
    { where: 'standard output', text: server.stdout() },
    { where: 'standard error', text: server.stderr() },
    { where: 'the command line', text: commandLine },
    { where: 'the copy elsewhere', text: copies.body?.toString('latin1') ?? '' },
  ];
  requireSoundTour(tour, { upstream, environment, kept });
  assert.deepEqual(findSecrets([...tour.traces, ...kept], secrets), []);
});

/** A tour that reached nothing would find nothing. */
function requireSoundTour(
  tour: Tour,
  { upstream, environment, kept }: { upstream: FakeUpstream; environment: string; kept: readonly Trace[] },
): void {
  const faults = tour.server.stdout().match(/.*"(internal error|crash)".*/g);
  assert.equal(faults, null);
  assert.ok(tour.traces.length > 300, `${tour.traces.length} answers`);
  const statuses = new Set(tour.traces.map(({ text }) => text.slice(0, 3)));
  for (const status of ['200', '201', '204', '400', '401', '403', '404', '405', '409', '502'])
    assert.ok(statuses.has(status), status);
  const seen = upstream.received.filter(
    ({ headers }) => headers.authorization === `Bearer ${SECRETS.provider}`,
  );
  assert.ok(seen.length > 100, `${seen.length} requests reached the provider with its key`);
  assert.ok(kept.some(({ where, text }) => where.endsWith('ipin.db') && text.includes('"providers"')));
  assert.ok(kept.some(({ where, text }) => where === 'the copy elsewhere' && text.length > 100));
  assert.ok(tour.server.stdout().split('\n').length > 300, 'every request is logged');
  if (environment === '') return;
  const shown = findSecrets([{ where: 'its environment', text: environment }], tour.secrets);
  assert.ok(shown.length >= 6, 'the search finds what is there');
}

function startEcho(t: TestContext): Promise<FakeUpstream> {
  return startUpstream(t, (req, res, request) => {
    // The act is named by the provider's path, else by the request.
    const passed = String(req.headers['idempotency-key']).replace(/^[\da-f]{16}-/, '');
    const act = /^\/act\/(\w+)/.exec(request.url)?.[1] ?? passed;
    const answer = ECHOES[String(act)] ?? ECHOES['400'];
    answer?.(req, res, request);
  });
}

async function setUp(tour: Tour, upstream: FakeUpstream): Promise<TourFacts> {
  const admin = await signIn(tour, { username: 'boss', password: SECRETS.uiPassword });
  const create = async (kind: string, body: object, shows: readonly string[] = []): Promise<Created> => {
    const call = {
      method: 'POST',
      path: `/api/admin/${kind}`,
      headers: { authorization: `Bearer ${admin}` },
      body,
    };
    const { status, text } = await make(tour, { ...call, shows });
    assert.equal(status, 201, text);
    return JSON.parse(text);
  };
  await create('providers', { id: 'up', name: 'up', baseUrl: upstream.origin, apiKey: SECRETS.provider });
  for (const act of Object.keys(ECHOES)) {
    const baseUrl = `${upstream.origin}/act/${act}`;
    await create('providers', { id: act, name: act, baseUrl, apiKey: SECRETS.provider });
  }
  await create('models', { id: 'm', name: 'm', providerId: 'up', vision: true });
  const { id: userId } = await create('users', { username: 'anna', password: SECRETS.userPassword });
  const { customKey } = SECRETS;
  const { id: keyId } = await create('apikeys', { name: 'custom', key: customKey }, [customKey]);
  const user = await signIn(tour, { username: 'anna', password: SECRETS.userPassword });
  const userKey = await makeKey(tour, user);
  const answer = await fetch(`${tour.server.origin}/api/admin/backup`, jsonRequest('GET', `Bearer ${admin}`));
  return { admin, user, userKey, userId, keyId, backup: await answer.text() };
}

interface Created {
  readonly id: string;
  readonly key?: string;
}

/** A key that the server makes: shown once, a secret from then on. */
async function makeKey(tour: Tour, user: string): Promise<string> {
  const request = jsonRequest('POST', `Bearer ${user}`, { name: 'made' });
  const answer = await fetch(`${tour.server.origin}/api/user/apikeys`, request);
  const { key = '' } = (await expectStatus(201, answer)) as Created;
  tour.secrets.set('the made key', key);
  return key;
}

async function signIn(tour: Tour, account: { username: string; password: string }): Promise<string> {
  const answer = await fetch(`${tour.server.origin}/api/login`, jsonRequest('POST', null, account));
  const cookie = answer.headers.get('set-cookie') ?? '';
  const { token } = (await expectStatus(200, answer)) as { token: string };
  tour.secrets.set(`the token of ${account.username}`, token);
  const text = cookie.replaceAll(token, '');
  tour.traces.push({ where: `the sign-in of ${account.username}`, text });
  return token;
}

/** Makes a call and keeps its answer, headers and all. */
async function make(tour: Tour, call: Call): Promise<{ status: number; text: string }> {
  const { method, path, headers = {}, body, shows = [] } = call;
  const request = jsonRequest(method, null, body);
  const answer = await fetch(`${tour.server.origin}${path}`, {
    ...request,
    headers: { ...request.headers, ...headers },
    redirect: 'manual',
  });
  const { status } = answer;
  const text = await answer.text().catch((error: unknown) => String(error));
  const head = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  const where = `the answer to ${method} ${path} ${JSON.stringify(body)?.slice(0, 100)}`;
  tour.traces.push({ where, text: `${status}\n${head}\n${text}`, allowed: shows });
  return { status, text };
}

/** A file of the process, where the system has such. */
function procFile(pid: number, name: string): string {
  return process.platform === 'linux' ? readFileSync(`/proc/${pid}/${name}`, 'utf8') : '';
}
