import type { IncomingMessage } from 'node:http';
import { HttpError } from '../errors.ts';
import { isRecord } from '../json/value.ts';
import type { JsonObject } from './fields.ts';

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Reads a request's body whole, up to 64 MiB. Throws 413 `request_too_large` as soon as more is announced or
 * has come, and 400 `invalid_body` when the client goes away.
 */
export function readBody(req: IncomingMessage): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) {
        req.pause();
        req.removeAllListeners('data');
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    req.on('end', () => resolve(Buffer.concat(chunks, length)));
    const onGone = (): void =>
      reject(new HttpError('invalid_body', 'The request ended before its body did.'));
    req.on('error', onGone);
    req.on('close', onGone);
  });
}

/** Parses a body as one JSON object. Throws 415 for another content type, 400 `invalid_json` or `invalid_body`. */
export function parseJsonBody(body: Buffer, contentType: string | undefined): JsonObject {
  if (contentType?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json') {
    throw new HttpError('unsupported_content_type', 'Send this request as application/json.');
  }
  const value = parse(body);
  if (!isRecord(value)) throw new HttpError('invalid_body', 'The body must be one JSON object.');
  return value;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new HttpError('invalid_json', 'The body is not valid JSON.', { cause });
  }
}

function tooLarge(): HttpError {
  const message = `The body is larger than ${MAX_BODY_BYTES} bytes.`;
  return new HttpError('request_too_large', message, { headers: { connection: 'close' } });
}
