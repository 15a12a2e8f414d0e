import { FIELD_LIMIT_BYTES, fieldText, MultipartReader, readField } from '../http/multipart.ts';
import { fieldBaseName, parseBoundary } from '../http/multipart-headers.ts';
import type { JsonObject } from './fields.ts';

/** The content of a form. */
export interface DemoForm {
  readonly fields: JsonObject;
  /** The content of the field `file`; null if there is none. */
  readonly file: Buffer | null;
}

const FILE_FIELD = 'file';

/**
 * Reads a multipart/form-data body (RFC 7578). Fields that come more than once, or as `name[]`, become a list;
 * `stream` becomes a boolean.
 * @throws HttpError `invalid_body`, `unsupported_content_type`, `request_too_large` for a field over 1 MiB.
 */
export async function readForm(body: Buffer, contentType: string | undefined): Promise<DemoForm> {
  const limits = { fileBytes: body.length, totalBytes: body.length };
  const options = { limits, fileFields: new Set([FILE_FIELD]) };
  const fields = new Map<string, unknown[]>();
  const lists = new Set<string>();
  let file: Buffer | null = null;
  for await (const part of new MultipartReader(once(body), parseBoundary(contentType), options)) {
    const field = fieldBaseName(part.name);
    const bytes = await readField(part, part.isFile ? body.length : FIELD_LIMIT_BYTES);
    if (part.isFile) {
      if (field === FILE_FIELD) file = bytes;
      continue;
    }
    const earlier = fields.get(field) ?? [];
    fields.set(field, [...earlier, toJsonValue(field, fieldText(field, bytes))]);
    if (earlier.length > 0 || part.name !== field) lists.add(field);
  }
  const entries = [...fields].map(([name, values]) => [name, lists.has(name) ? values : values[0]]);
  return { fields: Object.fromEntries(entries), file };
}

function toJsonValue(field: string, text: string): unknown {
  return field === 'stream' && (text === 'true' || text === 'false') ? text === 'true' : text;
}

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}
