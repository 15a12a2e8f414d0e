import { HttpError } from '../errors.ts';
import { isRecord } from '../json/value.ts';

/**
 * A whole chat completion as the one chunk of a stream, for `ChatReader.push`.
 * @throws HttpError `upstream_invalid_response` for a response without choices.
 */
export function completionChunk(completion: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(completion) && Array.isArray(completion['choices'])) return completion;
  throw new HttpError('upstream_invalid_response', 'The response of the provider is not a chat completion.');
}
