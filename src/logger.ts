import { writeSync } from 'node:fs';
import { redact } from './redaction.ts';
import { cutText, escapeHidden } from './shown-text.ts';

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
  /** Writes one line, which includes its line end. */
  readonly write: (line: string) => void;
  /** The current time in milliseconds. */
  readonly now: () => number;
  readonly secrets?: LogSecrets;
}

/** Records with secrets, such as providers. */
type KeyHolders = ReadonlyMap<string, { readonly keys: readonly { readonly secret: string | null }[] }>;

/** The values that must never appear in a line: fixed ones, and the keys of records that change. */
export class LogSecrets {
  readonly #fixed: readonly string[];
  readonly #holders: () => KeyHolders | undefined;
  readonly #single: () => string | null | undefined;
  #read: KeyHolders | undefined;
  #readSingle: string | null | undefined;
  #plain: readonly string[];
  #escaped: readonly string[];

  /**
   * `holders` and `single`, a secret that changes, run for each line. The keys are read again whenever `holders` returns another
   * map.
   */
  constructor(
    fixed: readonly string[],
    holders: () => KeyHolders | undefined = () => undefined,
    single: () => string | null | undefined = () => undefined,
  ) {
    this.#fixed = fixed;
    this.#holders = holders;
    this.#single = single;
    this.#plain = fixed;
    this.#escaped = fixed.map(escapeInJson);
  }

  /** The secrets as they are. */
  plain(): readonly string[] {
    this.#refresh();
    return this.#plain;
  }

  /** The secrets as they are written inside a JSON string. */
  escaped(): readonly string[] {
    this.#refresh();
    return this.#escaped;
  }

  #refresh(): void {
    const holders = this.#holders();
    const single = this.#single();
    if ((holders === this.#read && single === this.#readSingle) || holders === undefined) return;
    this.#read = holders;
    this.#readSingle = single;
    const secrets = [...holders.values()].flatMap(({ keys }) => keys.map(({ secret }) => secret));
    secrets.push(single ?? null);
    this.#plain = [...this.#fixed, ...secrets.filter((secret) => secret !== null)];
    this.#escaped = this.#plain.map(escapeInJson);
  }
}

function escapeInJson(secret: string): string {
  return JSON.stringify(secret).slice(1, -1);
}

/** Limits of the fields that may be longer than others, in UTF-16 units. */
const LONG_FIELDS: Readonly<Record<string, number>> = { stack: 8_000, message: 1_000 };
const FIELD_LENGTH = 200;
/** The text beyond a field's limit that is redacted too, so that the cut divides no secret. */
const SECRET_LENGTH = 4_096;

/**
 * Makes a logger that writes one JSON line per event: `time`, `level`, `event`, then the fields. It cuts long fields, escapes
 * hidden characters, and replaces known secrets and anything of the shape of an API key by `[redacted]`.
 */
export function createLogger(options: LoggerOptions): Logger {
  const least = LOG_LEVELS.indexOf(options.level);
  const secrets = options.secrets ?? new LogSecrets([]);
  const line = (level: LogLevel, event: string, fields: LogFields | undefined): void => {
    const head = `{"time":"${timestamp(options.now())}","level":"${level}","event":${JSON.stringify(event)}`;
    const members = fields === undefined ? '{}' : JSON.stringify(cutFields(fields, secrets.plain()));
    const text = members === '{}' ? `${head}}` : `${head},${members.slice(1)}`;
    options.write(`${escapeHidden(redact(text, secrets.escaped()))}\n`);
  };
  const at = (level: LogLevel): Logger['info'] =>
    LOG_LEVELS.indexOf(level) >= least ? (event, fields) => line(level, event, fields) : () => {};
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The fields, each text cut to the limit of its field. */
function cutFields(fields: LogFields, secrets: readonly string[]): LogFields {
  let cut: Record<string, LogFields[string]> | null = null;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value !== 'string' || value.length <= FIELD_LENGTH) continue;
    const limit = LONG_FIELDS[name] ?? FIELD_LENGTH;
    if (value.length <= limit) continue;
    cut ??= { ...fields };
    cut[name] = cutText(redact(value.slice(0, limit + SECRET_LENGTH), secrets), limit);
  }
  return cut ?? fields;
}

let lastMs = -1;
let lastTimestamp = '';

/** ISO 8601. Cached, because many lines are written in the same millisecond. */
function timestamp(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastTimestamp = new Date(ms).toISOString();
  }
  return lastTimestamp;
}

/** Writes lines to standard output, batched per event-loop turn. A reader that leaves (`| head`) does not end the server. */
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
      // The reader has left.
    }
  });
  return (line) => {
    if (pending === '') setImmediate(flush);
    pending += line;
  };
}
