import { makeBody, mutateBytes, namesAddress } from './fuzz-bodies.ts';
import type { Random } from './fuzz-random.ts';

/** What is sent on one connection. */
export interface FuzzCase {
  /** For people: what it began as. */
  readonly name: string;
  /** How many are pipelined. */
  readonly requests: number;
  /** Written one after another, a turn of the loop apart. */
  readonly pieces: readonly Buffer[];
  /**
   * `whole`: sound framing, the last request closes, so an answer and the end must come by themselves; `broken`: our
   * side is closed after the last byte; `gone`: the connection is cut instead.
   */
  readonly end: 'whole' | 'broken' | 'gone';
}

export interface FuzzWorld {
  /** `GET /v1/models`, as in the table of rights. */
  readonly rows: readonly [string, ...string[]];
  /** Header lines of those who may make requests. */
  readonly keys: readonly [string, ...string[]];
  /** Header lines of sessions: the admin's, the user's. */
  readonly sessions: readonly [string, ...string[]];
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'] as const;
const IDS = ['up', 'm', 'alias', 'c', 'master', 'nope', 'a%2Fb', '%00', '%zz', '__proto__', ''] as const;
const EXTRA_HEADERS = [
  'Expect: 100-continue',
  'Expect: a miracle',
  'Content-Encoding: gzip',
  'Content-Encoding: identity',
  'Accept-Encoding: gzip, br',
  'Accept: text/event-stream',
  'Connection: Authorization, Content-Length',
  'Connection: Upgrade\r\nUpgrade: websocket',
  'Upgrade: h2c',
  'X-Forwarded-For: 203.0.113.1, unknown',
  'Forwarded: for=_x',
  'Origin: https://evil.example',
  'Origin: null',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-Site: same-origin',
  'Cookie: ipin_x=1; =; ;;',
  'Api-Key: another-key-0123456789abcdef',
  'x-ipin-hops: 3',
  'x-ipin-hops: -1e9',
  'Idempotency-Key: caf\xe9',
  '__proto__: x',
  'constructor: y',
  'Range: bytes=0-1',
  'If-None-Match: *',
  'Access-Control-Request-Method: POST',
  'X-Backup-Passphrase: %ff',
  'Host: other',
  'Transfer-Encoding: identity',
  'Content-Length: 5',
  'X-Empty:',
] as const;

/** The next case of a run. */
export function makeCase(random: Random, world: FuzzWorld): FuzzCase {
  const count = random.chance(0.12) ? 2 + random.int(5) : 1;
  const requests = Array.from({ length: count }, (_, index) =>
    makeRequest(random, world, index === count - 1),
  );
  const name = requests.map((request) => request.name).join(' + ');
  let bytes: Buffer = Buffer.concat(requests.map((request) => request.bytes));
  let isWhole = requests.every((request) => request.isWhole);
  if (random.chance(0.15) && requests.every((request) => request.mayBreak)) {
    bytes = mutateBytes(random, bytes, 1);
    isWhole = false;
  }
  if (random.chance(0.08)) {
    const cut = bytes.subarray(0, random.int(bytes.length));
    return { name, requests: count, pieces: split(random, cut), end: random.chance(0.5) ? 'gone' : 'broken' };
  }
  const end = random.chance(0.06) ? 'gone' : isWhole ? 'whole' : 'broken';
  return { name, requests: count, pieces: split(random, bytes), end };
}

interface FuzzRequest {
  readonly name: string;
  readonly bytes: Buffer;
  readonly isWhole: boolean;
  readonly mayBreak: boolean;
}

function makeRequest(random: Random, world: FuzzWorld, isLast: boolean): FuzzRequest {
  // Most of the time where most of the code is.
  const row = random.chance(0.5) ? pickFrom(random, world.rows, '/v1/') : random.pick(world.rows);
  const [rowMethod = 'GET', rowPath = '/'] = row.split(' ');
  const method = random.chance(0.9) ? rowMethod : random.pick(METHODS);
  const head = [`${method} ${makeTarget(random, rowPath)} HTTP/1.${random.chance(0.97) ? 1 : 0}`, 'Host: x'];
  const isApi = rowPath.startsWith('/api/');
  if (random.chance(0.93)) head.push(random.pick(isApi ? world.sessions : world.keys));
  let isWhole = true;
  for (let extra = random.chance(0.3) ? random.int(4) : 0; extra > 0; extra -= 1) {
    const line = random.pick(EXTRA_HEADERS);
    if (/^(Host|Transfer-Encoding|Content-Length):/.test(line)) isWhole = false;
    // node:http throws away what was pipelined behind an upgrade that nobody takes.
    if (/^(Connection: )?Upgrade/.test(line) && !isLast) isWhole = false;
    head.push(line);
  }
  if (isLast) head.push('Connection: close');
  const hasBody = method === 'POST' || method === 'PUT' ? random.chance(0.97) : random.chance(0.05);
  const payload = hasBody ? makePayload(random, row, head) : { bytes: Buffer.alloc(0), isWhole: true };
  const bytes = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), payload.bytes]);
  return { name: row, bytes, isWhole: isWhole && payload.isWhole, mayBreak: !namesAddress(row) };
}

function makePayload(random: Random, row: string, head: string[]): { bytes: Buffer; isWhole: boolean } {
  const { contentType, bytes } = makeBody(random, row);
  if (contentType !== '') head.push(`Content-Type: ${contentType}`);
  if (random.chance(0.35)) {
    head.push('Transfer-Encoding: chunked');
    return { bytes: toChunks(random, bytes), isWhole: true };
  }
  if (random.chance(0.95)) {
    head.push(`Content-Length: ${bytes.length}`);
    return { bytes, isWhole: true };
  }
  head.push(`Content-Length: ${random.pick([0, 1, bytes.length + 1, 52_428_801, 2 ** 53])}`);
  return { bytes, isWhole: false };
}

function toChunks(random: Random, bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const size = 1 + random.int(random.chance(0.3) ? 3 : 20_000);
    const chunk = bytes.subarray(at, at + size);
    const extension = random.chance(0.05) ? ';name="a b"' : '';
    pieces.push(Buffer.from(`${chunk.length.toString(16).toUpperCase()}${extension}\r\n`), chunk);
    pieces.push(Buffer.from('\r\n'));
    at += size;
  }
  pieces.push(Buffer.from(random.chance(0.1) ? '0\r\nX-Trailer: 1\r\nModel: c\r\n\r\n' : '0\r\n\r\n'));
  return Buffer.concat(pieces);
}

function makeTarget(random: Random, path: string): string {
  const concrete = path
    .replace(/[:*]id/, () => random.pick(IDS))
    .replace(':keyId', () => random.pick(['key_1', ...IDS]));
  if (random.chance(0.85)) return concrete;
  return random.pick([
    `${concrete}?cascade=true&dryRun=true&secrets=omit`,
    `${concrete}?__proto__=1&key=%zz&%00`,
    `${concrete}/`,
    `/${concrete}`,
    `${concrete}//..;/`,
    concrete.toUpperCase(),
    concrete.replace('/v1', ''),
    `http://x${concrete}`,
    '*',
    '//',
    `/${'a'.repeat(9_000)}`,
    `${concrete}%`,
    `${concrete}\x01`,
    `/v1/models/${'%F0%9F%92%A9'.repeat(30)}`,
    `/api/admin/models/${encodeURIComponent('meta/x:1')}`,
  ]);
}

function pickFrom(random: Random, rows: FuzzWorld['rows'], part: string): string {
  const [first = rows[0], ...rest] = rows.filter((row) => row.includes(part));
  return random.pick([first, ...rest]);
}

function split(random: Random, bytes: Buffer): Buffer[] {
  const places = Array.from({ length: random.chance(0.4) ? random.int(12) : 0 }, () =>
    random.int(bytes.length),
  );
  places.sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}
