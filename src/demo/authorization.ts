import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpError } from '../errors.ts';

/**
 * Checks an `Authorization: Bearer KEY` header against the demo provider's key; with no key set everybody may
 * come in. Throws 401 as OpenAI does: without a code when no key was sent, `invalid_api_key` for a wrong one.
 */
export function requireApiKey(header: string | undefined, apiKey: string | null): void {
  if (apiKey === null) return;
  const sent = /^bearer\s+(.+)$/i.exec(header?.trim() ?? '')?.[1];
  const headers = { 'www-authenticate': 'Bearer realm="iPin demo provider"' };
  if (sent === undefined) {
    throw new HttpError('missing_api_key', 'No API key was sent. Use the header Authorization: Bearer KEY.', {
      headers,
    });
  }
  if (!timingSafeEqual(sha256(sent), sha256(apiKey))) {
    throw new HttpError('invalid_api_key', 'The API key is not the one of the demo provider.', { headers });
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
