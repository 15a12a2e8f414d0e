import { fieldBaseName, fieldText, MultipartReader, parseBoundary, readField } from '../http/multipart.ts';

/** One file of a form. */
export interface FormFile {
  /** The field's name without brackets: `image[]` is `image`. */
  readonly field: string;
  readonly bytes: Buffer;
}

/** A form, read whole. */
export interface DemoForm {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly files: readonly FormFile[];
}

const BOOLEAN_FIELDS = new Set(['stream']);
const NUMBER_FIELDS = new Set(['n', 'partial_images', 'temperature']);
const FILE_FIELDS = new Set(['file', 'image', 'mask']);
const MAX_FIELD_BYTES = 1_048_576;

/**
 * Reads a multipart/form-data body (RFC 7578). Fields that came more than once, or as `name[]`, become a list;
 * the known numbers and booleans become what they are in JSON. Throws 400 `invalid_body`, 415
 * `unsupported_content_type`.
 */
export async function readForm(body: Buffer, contentType: string | undefined): Promise<DemoForm> {
  const limits = { fileBytes: body.length, totalBytes: body.length, fieldBytes: MAX_FIELD_BYTES };
  const reader = new MultipartReader(once(body), parseBoundary(contentType), {
    limits,
    fileFields: FILE_FIELDS,
  });
  const fields = new Map<string, unknown>();
  const files: FormFile[] = [];
  for await (const part of reader) {
    const field = fieldBaseName(part.name);
    const bytes = await readField(part, part.isFile ? body.length : MAX_FIELD_BYTES);
    if (part.isFile) {
      files.push({ field, bytes });
      continue;
    }
    const value = toJsonValue(field, fieldText(field, bytes));
    const earlier = fields.get(field);
    const isList = earlier !== undefined || part.name !== field;
    fields.set(
      field,
      isList ? [...(Array.isArray(earlier) ? earlier : [earlier ?? []].flat()), value] : value,
    );
  }
  return { fields: Object.fromEntries(fields), files };
}

function toJsonValue(field: string, text: string): unknown {
  if (BOOLEAN_FIELDS.has(field) && (text === 'true' || text === 'false')) return text === 'true';
  return NUMBER_FIELDS.has(field) && text.trim() !== '' ? Number(text) : text;
}

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}
