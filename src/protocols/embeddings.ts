import { HttpError } from '../errors.ts';
import { JsonRewriter, type RewriteRule } from '../json/rewriter.ts';
import { parseJson } from '../json/value.ts';
import { base64ToFloats, floatsToBase64 } from './float32.ts';

export interface EmbeddingsOptions {
  /** The encoding that the client asked for. */
  readonly encoding: 'float' | 'base64';
  /** The model's id for the answer; null keeps the upstream's name. */
  readonly model: string | null;
}

/** A vector of 65,536 numbers takes about 1.5 MiB. */
const VALUE_LIMIT_BYTES = 4_194_304;

/**
 * Converts the vectors in a response of `/v1/embeddings` to the encoding that the client asked for: arrays of numbers, or
 * base64 of little-endian float32 (OpenAI API, `encoding_format`). All other bytes stay the same. Returns null if nothing
 * changes.
 * @throws HttpError `upstream_invalid_response` for a vector in neither encoding, and for a truncated response.
 */
export function normaliseEmbeddings(response: Buffer, options: EmbeddingsOptions): Buffer | null {
  const rewriter = embeddingsRewriter(options);
  const pieces: Buffer[] = [];
  rewriter.push(response, pieces);
  if (!rewriter.isWhole) throw unreadable();
  return pieces.length === 0 || pieces[0] === response ? null : Buffer.concat(pieces);
}

/**
 * Like `normaliseEmbeddings`, for a response of any size: holds one vector at a time.
 * Iteration throws the same errors, and those of the source.
 */
export async function* convertEmbeddings(
  source: AsyncIterable<Buffer>,
  options: EmbeddingsOptions,
): AsyncGenerator<Buffer> {
  const rewriter = embeddingsRewriter(options);
  for await (const chunk of source) {
    const pieces: Buffer[] = [];
    rewriter.push(chunk, pieces);
    const [first] = pieces;
    if (first !== undefined) yield pieces.length === 1 ? first : Buffer.concat(pieces);
  }
  if (!rewriter.isWhole) throw unreadable();
}

/** Creates the rewriter for both functions. Its `push` throws HttpError `upstream_invalid_response`. */
export function embeddingsRewriter({ encoding, model }: EmbeddingsOptions): JsonRewriter {
  const isFloat = encoding === 'float';
  const vectors: RewriteRule = {
    path: ['data', '*', 'embedding'],
    kind: isFloat ? 'string' : 'numbers',
    limitBytes: VALUE_LIMIT_BYTES,
    rewrite: isFloat ? toNumbers : toBase64,
  };
  const rules = [vectors];
  if (model !== null) {
    const rewrite = (): Buffer => Buffer.from(JSON.stringify(model));
    rules.push({ path: ['model'], kind: 'string', limitBytes: VALUE_LIMIT_BYTES, rewrite });
  }
  const onUnreadable = (): never => {
    throw unreadable();
  };
  return new JsonRewriter({ rules, isOnce: false, onUnreadable });
}

function unreadable(): HttpError {
  return new HttpError('upstream_invalid_response', 'The provider sent embeddings that cannot be read.');
}

function toBase64(raw: Buffer): Buffer {
  const values = parseJson(raw);
  const text = Array.isArray(values) ? floatsToBase64(values) : null;
  if (text === null) throw unreadable();
  return Buffer.from(`"${text}"`);
}

/** Writes each number with the exact value of its float32. */
function toNumbers(raw: Buffer): Buffer {
  const text = parseJson(raw);
  const floats = typeof text === 'string' ? base64ToFloats(text) : null;
  if (floats === null || !floats.every(Number.isFinite)) throw unreadable();
  return Buffer.from(
    `[${Array.from(floats, (value) => (Object.is(value, -0) ? '-0' : String(value))).join(',')}]`,
  );
}
