import { EmbeddingsConverter, type EmbeddingsOptions } from './embeddings-converter.ts';

export type { EmbeddingsOptions } from './embeddings-converter.ts';

/**
 * Brings the vectors of an answer of `/v1/embeddings` into the encoding that the client asked for: arrays of numbers, or
 * base64 of little-endian float32 (OpenAI API, `encoding_format`). Everything else keeps its bytes. Null where nothing has
 * to change.
 * @throws HttpError `upstream_invalid_response` for a vector that is neither, and for an answer that is cut off.
 */
export function normaliseEmbeddings(answer: Buffer, options: EmbeddingsOptions): Buffer | null {
  const converter = new EmbeddingsConverter(options);
  const pieces = converter.push(answer);
  converter.end();
  return converter.hasChanged ? Buffer.concat(pieces) : null;
}

/**
 * As `normaliseEmbeddings`, for an answer of any size: holds one vector at a time.
 * Reading throws the same, and what the source throws.
 */
export async function* convertEmbeddings(
  source: AsyncIterable<Buffer>,
  options: EmbeddingsOptions,
): AsyncGenerator<Buffer> {
  const converter = new EmbeddingsConverter(options);
  for await (const chunk of source) {
    const [first, ...others] = converter.push(chunk);
    if (first !== undefined) yield others.length === 0 ? first : Buffer.concat([first, ...others]);
  }
  converter.end();
}
