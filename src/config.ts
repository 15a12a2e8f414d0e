import { isLoopbackHost } from './ip-address.ts';
import { LOG_LEVELS, type LogLevel } from './logger.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One member of `Config`, and how it is read from the environment. */
interface Setting<T> {
  /** The variables that `.env.example` explains. */
  readonly names: readonly string[];
  /** Adds a line to `problems` for each bad value; the value returned is then not used. */
  read(env: Environment, problems: string[]): T;
}

type ValuesOf<S> = { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never };

export interface UpstreamTimeouts {
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface SnapshotConfig {
  /** https://, http:// on loopback, or s3://bucket/key. */
  readonly url: string;
  readonly key: string;
  readonly token: string | null;
}

const MEBIBYTE = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
const PASSPHRASE_LENGTH = 16;

/** Every setting, in the order of the documentation. `null` stands for "not set". */
const SETTINGS = {
  /** 0 picks a free port. */
  port: integer('PORT', 3000, { least: 0, most: 65_535 }),
  host: text('HOST', '0.0.0.0'),
  /** null: the first start generates it, and the store keeps its digest. */
  masterApiKey: key('MASTER_API_KEY'),
  uiUsername: text('UI_USERNAME', 'admin'),
  /** null: the password set in the panel counts, else the default one. */
  uiPassword: text('UI_PASSWORD', null),
  /** null: the default place, see `store/location.ts`. */
  dbPath: text('DB_PATH', null),
  encryptionKey: passphrase('ENCRYPTION_KEY'),
  previousEncryptionKey: passphrase('ENCRYPTION_KEY_PREVIOUS'),
  trustProxyHops: integer('TRUST_PROXY_HOPS', 0, { least: 0, most: 16 }),
  blockPrivateUpstreams: boolean('BLOCK_PRIVATE_UPSTREAMS', false),
  /** `*` or a list of origins such as `https://chat.example`. */
  corsOrigins: origins('CORS_ORIGINS'),
  maxBodyBytes: mebibytes('MAX_BODY_MB', 50, { least: 1, most: 1024 }),
  maxInflightBytes: mebibytes('MAX_INFLIGHT_MB', 128, { least: 1, most: 65_536 }),
  upstreamTimeouts: group<UpstreamTimeouts>({
    connectTimeoutMs: integer('UPSTREAM_CONNECT_TIMEOUT_MS', 10_000, { least: 1, most: DAY_MS }),
    headersTimeoutMs: integer('UPSTREAM_HEADERS_TIMEOUT_MS', 300_000, { least: 1, most: DAY_MS }),
    idleTimeoutMs: integer('UPSTREAM_IDLE_TIMEOUT_MS', 120_000, { least: 1, most: DAY_MS }),
  }),
  /** Further attempts after the first one, over all keys and targets of a call. */
  upstreamRetries: integer('UPSTREAM_RETRIES', 2, { least: 0, most: 5 }),
  /** A client's event stream that is silent for this long gets a keep-alive; 0: never. */
  sseKeepAliveMs: integer('SSE_KEEPALIVE_MS', 15_000, { least: 0, most: DAY_MS }),
  /** A client that waits this long for its stream gets its headers before the provider answers; 0: never. */
  earlyStreamMs: integer('EARLY_STREAM_MS', 0, { least: 0, most: DAY_MS }),
  /** The size of the request log on the disk; 0: it is kept in memory. */
  requestLogBytes: mebibytes('REQUEST_LOG_MB', 16, { least: 0, most: 4096 }),
  shutdownGraceMs: integer('SHUTDOWN_GRACE_MS', 25_000, { least: 0, most: DAY_MS }),
  logLevel: oneOf<LogLevel>('LOG_LEVEL', LOG_LEVELS, 'info'),
  /** null: off. */
  keepAliveUrl: { names: ['KEEP_ALIVE_URL'], read: readKeepAliveUrl },
  /** `redis://` or `rediss://`; null: this is the only instance. */
  redisUrl: { names: ['REDIS_URL'], read: readRedisUrl },
  /** null: no snapshot is kept off the machine. */
  snapshot: { names: ['SNAPSHOT_URL', 'SNAPSHOT_KEY', 'SNAPSHOT_TOKEN'], read: readSnapshot },
  /** Render sets RENDER; people do not. */
  onRender: { names: [], read: (env: Environment): boolean => variable(env, 'RENDER') !== null },
};

/** Everything that the environment says, validated and frozen. */
export type Config = ValuesOf<typeof SETTINGS>;

/** The variables that people set, in the order of the documentation. */
export const ENV_NAMES: readonly string[] = Object.values(SETTINGS).flatMap(({ names }) => names);

/** Everything that is wrong with the environment, one line each. A value is never shown, because it may be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/**
 * Merges the real environment over that of a `.env` file. A real variable wins unless it is empty, which counts as unset
 * (an empty `KEEP_ALIVE_URL` means off, so it wins too).
 */
export function mergeEnvironment(real: Environment, file: Environment): Environment {
  const merged: Record<string, string | undefined> = Object.assign(Object.create(null), file);
  for (const [name, value] of Object.entries(real)) {
    if (value !== undefined && (value !== '' || name === 'KEEP_ALIVE_URL')) merged[name] = value;
  }
  return merged;
}

/**
 * Reads and validates the whole environment.
 * @throws ConfigError that names every bad variable at once.
 * @example const { port } = loadConfig({ PORT: '8080' }); // 8080
 */
export function loadConfig(env: Environment): Config {
  const problems: string[] = [];
  const config = readAll(SETTINGS, env, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

function readAll<S extends Record<string, Setting<unknown>>>(
  settings: S,
  env: Environment,
  problems: string[],
): ValuesOf<S> {
  const values = Object.entries(settings).map(([name, setting]) => [name, setting.read(env, problems)]);
  return Object.fromEntries(values) as ValuesOf<S>;
}

/** The value of a variable; null if it is unset or empty. */
function variable(env: Environment, name: string): string | null {
  return env[name] || null;
}

/** A setting of one variable. `parse` returns undefined for a bad value; `expected` then says what it must be. */
function setting<T>(
  name: string,
  fallback: T,
  { parse, expected }: { parse: (value: string) => T | undefined; expected: string },
): Setting<T> {
  return {
    names: [name],
    read(env, problems) {
      const value = variable(env, name);
      if (value === null) return fallback;
      const parsed = parse(value);
      if (parsed === undefined) problems.push(`${name} must ${expected}.`);
      return parsed ?? fallback;
    },
  };
}

function text<T extends string | null>(name: string, fallback: T): Setting<T | string> {
  return setting<T | string>(name, fallback, { parse: (value) => value, expected: 'be text' });
}

interface Range {
  readonly least: number;
  readonly most: number;
}

function integer(name: string, fallback: number, { least, most }: Range, unit = 1): Setting<number> {
  return setting(name, fallback * unit, {
    parse(value) {
      const number = /^\d{1,9}$/.test(value.trim()) ? Number(value) : Number.NaN;
      return number >= least && number <= most ? number * unit : undefined;
    },
    expected: `be a whole number from ${least} to ${most}`,
  });
}

/** A number of MiB, read as bytes. */
function mebibytes(name: string, fallback: number, range: Range): Setting<number> {
  return integer(name, fallback, range, MEBIBYTE);
}

function boolean(name: string, fallback: boolean): Setting<boolean> {
  const words: ReadonlyMap<string, boolean> = new Map([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ]);
  const expected = 'be true, false, 1 or 0';
  return setting(name, fallback, { parse: (value) => words.get(value.trim().toLowerCase()), expected });
}

function oneOf<T extends string>(name: string, words: readonly T[], fallback: T): Setting<T> {
  return setting(name, fallback, {
    parse: (value) => words.find((word) => word === value.trim().toLowerCase()),
    expected: `be one of ${words.join(', ')}`,
  });
}

function key(name: string): Setting<string | null> {
  return setting<string | null>(name, null, {
    parse: (value) => (/^[!-~]([ -~]{0,254}[!-~])?$/.test(value) ? value : undefined),
    expected: 'be 1 to 256 printable ASCII characters, without spaces at the ends',
  });
}

function passphrase(name: string): Setting<string | null> {
  return setting<string | null>(name, null, {
    parse: (value) => (value.length >= PASSPHRASE_LENGTH ? value : undefined),
    expected: `have at least ${PASSPHRASE_LENGTH} characters`,
  });
}

function origins(name: string): Setting<'*' | readonly string[]> {
  return setting<'*' | readonly string[]>(name, '*', {
    parse(value) {
      const items = value.split(',').flatMap((item) => item.trim() || []);
      if (items.includes('*') || items.length === 0) return '*';
      const parsed = items.flatMap((item) => originOf(item) ?? []);
      return parsed.length === items.length ? parsed : undefined;
    },
    expected: 'be * or a comma list of origins such as https://chat.example',
  });
}

/** The text as an origin; null if it is none, or has a path. */
function originOf(item: string): string | null {
  const origin = URL.canParse(item) ? new URL(item).origin : null;
  return origin?.toLowerCase() === item.replace(/\/$/, '').toLowerCase() ? origin : null;
}

function group<T>(settings: { readonly [Name in keyof T]: Setting<T[Name]> }): Setting<T> {
  const members: Record<string, Setting<unknown>> = { ...settings };
  return {
    names: Object.values(members).flatMap(({ names }) => names),
    read: (env, problems) => readAll(members, env, problems) as T,
  };
}

function readKeepAliveUrl(env: Environment, problems: string[]): string | null {
  const own = env['KEEP_ALIVE_URL'];
  const url = own === undefined ? variable(env, 'RENDER_EXTERNAL_URL') : own || null;
  if (url !== null && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)))
    problems.push('KEEP_ALIVE_URL must be an http or https address, or empty to turn it off.');
  return url;
}

function readRedisUrl(env: Environment, problems: string[]): string | null {
  const url = variable(env, 'REDIS_URL');
  if (url === null) return null;
  if (!isRedisUrl(url)) problems.push('REDIS_URL must be redis://... or rediss://...');
  if (variable(env, 'SNAPSHOT_URL') !== null)
    problems.push('SNAPSHOT_URL does not work together with REDIS_URL: let Redis keep its own copies.');
  return url;
}

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  // A `%` that stands for itself is written as %25.
  const isEncoded = [username, password].every((part) => !/%(?![\da-f]{2})/i.test(part));
  return /^rediss?:$/.test(protocol) && hostname !== '' && isEncoded;
}

function readSnapshot(env: Environment, problems: string[]): SnapshotConfig | null {
  const url = variable(env, 'SNAPSHOT_URL');
  if (url === null) return null;
  const key = passphrase('SNAPSHOT_KEY').read(env, problems);
  if (variable(env, 'SNAPSHOT_KEY') === null)
    problems.push(`SNAPSHOT_KEY is required with SNAPSHOT_URL (${PASSPHRASE_LENGTH} or more characters).`);
  if (!isSnapshotUrl(url))
    problems.push('SNAPSHOT_URL must be https://... (http only on loopback) or s3://bucket/key.');
  return { url, key: key ?? '', token: variable(env, 'SNAPSHOT_TOKEN') };
}

function isSnapshotUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.protocol === 's3:') return url.hostname !== '' && url.pathname.length > 1;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && isLoopbackHost(url.hostname);
}
