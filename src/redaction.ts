/** Takes secrets out of texts, objects and bytes before anybody reads them: the log, error messages, answers. */

/** A key is random: one long word, or a digit near its start. A name such as `sk-learn-something` is neither. */
const DASHED_KEY = String.raw`(?:sk|cpk|gsk|xai|r8)[-_](?:[a-z\d]{16}|(?=[\w-]{0,40}\d)[\w-]{12})[\w-]*`;
/** Keys of Google, Hugging Face, GitHub and Amazon, by their documentation. */
const FIXED_KEY = String.raw`AIza[\w-]{35,}|hf_[a-z\d]{30,}|gh[oprsu]_[a-z\d]{36,}|AKIA[A-Z\d]{16}\b`;
/** Inside JSON the letter before a key may belong to an escape such as `\n`. */
const KEY_START = String.raw`(?:\b|(?<=\\(?:[bfnrt]|u[\da-f]{4})))`;
const KEY_SHAPE = new RegExp(
  String.raw`${KEY_START}(?:${DASHED_KEY}|${FIXED_KEY})|\bBearer\s+[^\s"\\]+`,
  'gi',
);

/** Much faster than the whole pattern; matches every text that `KEY_SHAPE` matches. */
const KEY_SIGN = /(?:sk|cpk|gsk|xai|r8)[-_]|AIza|hf_|gh[oprsu]_|AKIA|Bearer/i;

const REDACTED = '[redacted]';
/** Shorter texts may occur by chance. */
const SHORTEST_SECRET = 8;

/**
 * Replaces secrets in a text by `[redacted]`: the given ones, if they have 8 characters or more, and everything of the shape
 * of an API key. Redact before you cut a text: half a key is not recognised.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= SHORTEST_SECRET && clean.includes(secret))
      clean = clean.replaceAll(secret, REDACTED);
  }
  return KEY_SIGN.test(clean) ? clean.replace(KEY_SHAPE, REDACTED) : clean;
}

/** Redacts every name and text in an object of JSON. Members nested deeper than `depth` levels become null. */
export function redactMembers(
  object: object,
  secrets: readonly string[],
  depth: number,
): Record<string, unknown> {
  const entries = Object.entries(object).map(([name, value]) => [
    redact(name, secrets),
    redactValue(value, secrets, depth - 1),
  ]);
  return Object.fromEntries(entries);
}

function redactValue(value: unknown, secrets: readonly string[], depth: number): unknown {
  if (typeof value === 'string') return redact(value, secrets);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, secrets, depth - 1));
  return redactMembers(value, secrets, depth);
}

/** Replaces the given secrets in bytes of UTF-8. Bytes without a secret are returned as they are, not copied. */
export function redactBytes(bytes: Buffer, secrets: readonly string[]): Buffer {
  let text: string | null = null;
  for (const secret of secrets) {
    if (secret.length < SHORTEST_SECRET || !bytes.includes(secret)) continue;
    text = (text ?? bytes.toString('utf8')).replaceAll(secret, REDACTED);
  }
  return text === null ? bytes : Buffer.from(text);
}

/**
 * The hint by which people recognise a key: up to 6 first and 4 last characters, at most a third of the key.
 * @example keyHint('sk-abcdefghijklmnopqrstuvwxyz') // 'sk-ab...wxyz'
 */
export function keyHint(key: string): string {
  const visible = Math.min(10, Math.floor(key.length / 3));
  const last = Math.min(4, Math.floor(visible / 2));
  return `${key.slice(0, visible - last)}...${key.slice(key.length - last)}`;
}

/**
 * The spellings of a secret: as it is, inside a JSON string, and as forms and `encodeURIComponent` encode it, which differ
 * in space and `!'()~`.
 */
export function secretForms(secret: string): string[] {
  const inForm = new URLSearchParams([['', secret]]).toString().slice(1);
  const inUrl = inForm.replaceAll('+', '%20').replaceAll(/%(?:2[1789]|7E)/g, decodeURIComponent);
  return [secret, JSON.stringify(secret).slice(1, -1), inForm, inUrl];
}
