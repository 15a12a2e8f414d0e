import { writeSync } from 'node:fs';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes one finished line, its line end included. */
  readonly write: (line: string) => void;
  /** The current time in milliseconds. */
  readonly now: () => number;
  /** Values that must never appear in a line, asked for at each line; the same list as long as nothing changed. */
  readonly secrets?: () => readonly string[];
}

const KEY_SHAPE = /\b(sk|cpk|gsk|xai|AIza|hf|r8)[-_][\w-]{12,}|\bBearer\s+[^\s"\\]+/gi;

/**
 * Makes the logger: one JSON line per event (`time`, `level`, `event`, then the fields). Control characters are
 * escaped by JSON itself; known secrets and whatever looks like an API key are replaced by `[redacted]`.
 */
export function createLogger(options: LoggerOptions): Logger {
  const least = LOG_LEVELS.indexOf(options.level);
  const secrets = createSecretsCache(options.secrets ?? (() => []));
  const line = (level: LogLevel, event: string, fields: LogFields | undefined): void => {
    const head = `{"time":"${timestamp(options.now())}","level":"${level}","event":${JSON.stringify(event)}`;
    const rest = fields === undefined ? '{}' : JSON.stringify(fields);
    const text = rest === '{}' ? `${head}}` : `${head},${rest.slice(1)}`;
    options.write(`${redact(text, secrets())}\n`);
  };
  const at = (level: LogLevel): Logger['info'] =>
    LOG_LEVELS.indexOf(level) >= least ? (event, fields) => line(level, event, fields) : () => {};
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

let lastMs = -1;
let lastTimestamp = '';

/** ISO 8601; many lines are written in the same millisecond. */
function timestamp(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastTimestamp = new Date(ms).toISOString();
  }
  return lastTimestamp;
}

/** Secrets as they stand inside a JSON string. */
function createSecretsCache(read: () => readonly string[]): () => readonly string[] {
  let source: readonly string[] = [];
  let escaped: readonly string[] = [];
  return () => {
    const present = read();
    if (present !== source) escaped = present.map((secret) => JSON.stringify(secret).slice(1, -1));
    source = present;
    return escaped;
  };
}

/** Replaces secrets in a text: the given ones (8 characters or longer) and everything of an API key's shape. */
export function redact(text: string, secrets: Iterable<string>): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= 8 && clean.includes(secret)) clean = clean.replaceAll(secret, '[redacted]');
  }
  return clean.replace(KEY_SHAPE, '[redacted]');
}

/** Writes lines to standard output in batches; a reader that goes away (`| head`) does not end the server. */
export function createStdoutWriter(): (line: string) => void {
  process.stdout.on('error', () => {});
  let pending = '';
  const flush = (): void => {
    const text = pending;
    pending = '';
    if (text !== '') process.stdout.write(text);
  };
  process.on('exit', () => {
    if (pending === '') return;
    try {
      writeSync(1, pending);
    } catch {
      // Nobody reads it any more.
    }
  });
  return (line) => {
    if (pending === '') setImmediate(flush);
    pending += line;
  };
}
