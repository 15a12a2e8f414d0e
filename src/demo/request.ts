import type { IncomingMessage } from 'node:http';
import { HttpError } from '../errors.ts';
import { isRecord, parseJson } from '../json/value.ts';
import { type DemoCall, shortSha256 } from './call.ts';
import type { DemoEndpoint } from './endpoints.ts';
import { type JsonObject, missingParameter, optionalString } from './fields.ts';
import { type DemoForm, readForm } from './form.ts';
import { requireModel } from './models.ts';

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Reads a request to an endpoint: its body, and the model that it names.
 * @param nowMs the current time in milliseconds.
 * @throws HttpError `request_too_large` over 64 MiB, `unsupported_content_type`, `invalid_json`, `invalid_body`,
 * `missing_required_parameter`, `model_not_found`.
 */
export async function readCall(
  req: IncomingMessage,
  endpoint: DemoEndpoint,
  nowMs: number,
): Promise<DemoCall> {
  const bytes = await readBody(req);
  const contentType = req.headers['content-type'];
  const { fields, file }: DemoForm =
    endpoint.takes === 'form'
      ? await readForm(bytes, contentType)
      : { fields: parseJsonBody(bytes, contentType), file: null };
  const model = optionalString(fields, 'model') ?? endpoint.defaultModel;
  if (model === undefined) throw missingParameter('model');
  requireModel(model, endpoint.task);
  const createdSeconds = Math.floor(nowMs / 1000);
  return { body: fields, file, model, id: shortSha256(bytes, 24), createdSeconds };
}

async function readBody(req: IncomingMessage): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  // The connection must outlive a body that is refused: the error is sent over it.
  const body: AsyncIterable<Buffer> = req.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function parseJsonBody(bytes: Buffer, contentType: string | undefined): JsonObject {
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? '')) {
    throw new HttpError('unsupported_content_type', 'Send this request as application/json.');
  }
  const value = parseJson(bytes);
  if (value === undefined) throw new HttpError('invalid_json', 'The body is not valid JSON.');
  if (!isRecord(value)) throw new HttpError('invalid_body', 'The body must be one JSON object.');
  return value;
}

function tooLarge(): HttpError {
  const message = `The body is larger than ${MAX_BODY_BYTES} bytes.`;
  return new HttpError('request_too_large', message, { headers: { connection: 'close' } });
}
