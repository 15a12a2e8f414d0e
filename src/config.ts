import { LOG_LEVELS, type LogLevel } from './logger.ts';

/** Everything the environment may say, validated and frozen. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** null: generated at the first start and kept in the store as a digest. */
  readonly masterApiKey: string | null;
  readonly uiUsername: string;
  /** null: not set; a password set in the panel counts then, else the default one. */
  readonly uiPassword: string | null;
  /** null: not set, the default place. */
  readonly dbPath: string | null;
  readonly encryptionKey: string | null;
  readonly previousEncryptionKey: string | null;
  readonly trustProxyHops: number;
  readonly blockPrivateUpstreams: boolean;
  /** `*` or a list of origins such as `https://chat.example`. */
  readonly corsOrigins: '*' | readonly string[];
  readonly maxBodyBytes: number;
  readonly maxInflightBytes: number;
  readonly upstreamTimeouts: UpstreamTimeouts;
  readonly shutdownGraceMs: number;
  readonly logLevel: LogLevel;
  readonly keepAliveUrl: string | null;
  readonly snapshot: SnapshotConfig | null;
  readonly onRender: boolean;
}

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

/** The variables that are read, in the order of the documentation. */
export const ENV_NAMES = [
  'PORT',
  'HOST',
  'MASTER_API_KEY',
  'UI_USERNAME',
  'UI_PASSWORD',
  'DB_PATH',
  'ENCRYPTION_KEY',
  'ENCRYPTION_KEY_PREVIOUS',
  'TRUST_PROXY_HOPS',
  'BLOCK_PRIVATE_UPSTREAMS',
  'CORS_ORIGINS',
  'MAX_BODY_MB',
  'MAX_INFLIGHT_MB',
  'UPSTREAM_CONNECT_TIMEOUT_MS',
  'UPSTREAM_HEADERS_TIMEOUT_MS',
  'UPSTREAM_IDLE_TIMEOUT_MS',
  'SHUTDOWN_GRACE_MS',
  'LOG_LEVEL',
  'KEEP_ALIVE_URL',
  'SNAPSHOT_URL',
  'SNAPSHOT_KEY',
  'SNAPSHOT_TOKEN',
] as const;

type EnvName = (typeof ENV_NAMES)[number];
export type Environment = Readonly<Record<string, string | undefined>>;

const MEBIBYTE = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

/** All that is wrong with the environment, one line each; a value is never shown, it may be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/**
 * Puts the variables of a `.env` file under those of the real environment: real ones win, empty ones count as unset
 * (except `KEEP_ALIVE_URL`, where empty means off).
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
 */
export function loadConfig(env: Environment): Config {
  const read = new Reader(env);
  const maxBodyBytes = read.integer('MAX_BODY_MB', 50, { least: 1, most: 1024 }) * MEBIBYTE;
  const maxInflightBytes = read.integer('MAX_INFLIGHT_MB', 128, { least: 1, most: 65536 }) * MEBIBYTE;
  const timeout = (name: EnvName, fallback: number): number =>
    read.integer(name, fallback, { least: 1, most: DAY_MS });
  const config: Config = {
    port: read.integer('PORT', 3000, { least: 0, most: 65535 }),
    host: read.text('HOST') ?? '0.0.0.0',
    masterApiKey: read.key('MASTER_API_KEY'),
    uiUsername: read.text('UI_USERNAME') ?? 'admin',
    uiPassword: read.text('UI_PASSWORD'),
    dbPath: read.text('DB_PATH'),
    encryptionKey: read.secret('ENCRYPTION_KEY', 16),
    previousEncryptionKey: read.secret('ENCRYPTION_KEY_PREVIOUS', 16),
    trustProxyHops: read.integer('TRUST_PROXY_HOPS', 0, { least: 0, most: 16 }),
    blockPrivateUpstreams: read.boolean('BLOCK_PRIVATE_UPSTREAMS', false),
    corsOrigins: read.origins('CORS_ORIGINS'),
    maxBodyBytes,
    maxInflightBytes,
    upstreamTimeouts: {
      connectTimeoutMs: timeout('UPSTREAM_CONNECT_TIMEOUT_MS', 10_000),
      headersTimeoutMs: timeout('UPSTREAM_HEADERS_TIMEOUT_MS', 300_000),
      idleTimeoutMs: timeout('UPSTREAM_IDLE_TIMEOUT_MS', 120_000),
    },
    shutdownGraceMs: read.integer('SHUTDOWN_GRACE_MS', 25_000, { least: 0, most: DAY_MS }),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    keepAliveUrl: read.keepAliveUrl(),
    snapshot: read.snapshot(),
    onRender: read.text('RENDER') !== null,
  };
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return Object.freeze(config);
}

class Reader {
  readonly problems: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  text(name: EnvName | 'RENDER' | 'RENDER_EXTERNAL_URL'): string | null {
    const value = this.#env[name];
    return value === undefined || value === '' ? null : value;
  }

  integer(name: EnvName, fallback: number, range: { least: number; most: number }): number {
    const text = this.text(name);
    if (text === null) return fallback;
    const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (value >= range.least && value <= range.most) return value;
    this.problems.push(`${name} must be a whole number from ${range.least} to ${range.most}.`);
    return fallback;
  }

  boolean(name: EnvName, fallback: boolean): boolean {
    const text = this.text(name);
    if (text === null) return fallback;
    const word = text.trim().toLowerCase();
    if (word === 'true' || word === '1') return true;
    if (word !== 'false' && word !== '0') this.problems.push(`${name} must be true, false, 1 or 0.`);
    return false;
  }

  oneOf<T extends string>(name: EnvName, values: readonly T[], fallback: T): T {
    const text = this.text(name);
    if (text === null) return fallback;
    const found = values.find((value) => value === text.trim().toLowerCase());
    if (found === undefined) this.problems.push(`${name} must be one of ${values.join(', ')}.`);
    return found ?? fallback;
  }

  key(name: EnvName): string | null {
    const text = this.text(name);
    if (text === null) return null;
    if (/^[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(text)) return text;
    this.problems.push(`${name} must be 1 to 256 printable ASCII characters, without spaces at its ends.`);
    return null;
  }

  secret(name: EnvName, leastLength: number): string | null {
    const text = this.text(name);
    if (text !== null && text.length < leastLength) {
      this.problems.push(`${name} must have at least ${leastLength} characters.`);
    }
    return text;
  }

  origins(name: EnvName): '*' | readonly string[] {
    const text = this.text(name);
    const items = (text ?? '*').split(',').flatMap((item) => item.trim() || []);
    if (items.includes('*') || items.length === 0) return '*';
    return items.map((item) => {
      const url = URL.canParse(item) ? new URL(item) : null;
      const bare = item.replace(/\/$/, '');
      if (url !== null && url.origin.toLowerCase() === bare.toLowerCase()) return url.origin;
      this.problems.push(`${name} must be * or a comma list of origins such as https://chat.example.`);
      return '';
    });
  }

  keepAliveUrl(): string | null {
    const own = this.#env['KEEP_ALIVE_URL'];
    const text = own === undefined ? this.text('RENDER_EXTERNAL_URL') : own || null;
    if (text === null || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))) return text;
    this.problems.push('KEEP_ALIVE_URL must be an http or https address, or empty to turn it off.');
    return null;
  }

  snapshot(): SnapshotConfig | null {
    const url = this.text('SNAPSHOT_URL');
    if (url === null) return null;
    const key = this.secret('SNAPSHOT_KEY', 16);
    if (key === null)
      this.problems.push('SNAPSHOT_KEY is required with SNAPSHOT_URL (16 or more characters).');
    if (!isSnapshotUrl(url)) {
      this.problems.push('SNAPSHOT_URL must be https://... (http only on loopback) or s3://bucket/key.');
    }
    return { url, key: key ?? '', token: this.text('SNAPSHOT_TOKEN') };
  }
}

function isSnapshotUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.protocol === 's3:') return url.hostname !== '' && url.pathname.length > 1;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && isLoopbackHost(url.hostname);
}

/** True for a URL's host name of the machine itself, the one host that snapshots are sent to without TLS. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** The admin's password until one is set. */
export const DEFAULT_PASSWORD = 'admin';
/** Passwords that everybody knows: the admin's login takes them from the machine itself only. */
export const DEFAULT_PASSWORDS: readonly string[] = [DEFAULT_PASSWORD, 'your-password'];
/** Keys printed in documents: they work from the machine itself only. */
const SAMPLE_KEYS: readonly string[] = ['sk-123', 'sk-your-secret-key', 'sk-your-api-key'];

/** True while the admin's password is one that everybody knows. */
export function isDefaultPassword(password: string): boolean {
  return DEFAULT_PASSWORDS.includes(password);
}

/** True for the keys that documents print as samples. */
export function isSampleKey(key: string): boolean {
  return SAMPLE_KEYS.includes(key);
}
