import { isUtf8 } from 'node:buffer';
import { ByteGatherer } from '../byte-gatherer.ts';
import { HttpError } from '../errors.ts';
import { shownText } from '../shown-text.ts';
import type { PartHeaders } from './multipart-headers.ts';

/** One part of a multipart/form-data body. */
export interface MultipartPart extends PartHeaders {
  /** True where it has a file name, or its field is one of those that hold files. */
  readonly isFile: boolean;
  /** The content, to be read once, before the next part is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

/**
 * Reads the content of a part into memory. `tooLarge` makes the error for more than `limitBytes` out of the content's start.
 * @throws HttpError `request_too_large`, param the field's name, where there is no other `tooLarge`.
 */
export async function readField(
  part: MultipartPart,
  limitBytes: number,
  tooLarge: (start: Buffer) => Error = () => fieldTooLarge(part.name, limitBytes),
): Promise<Buffer> {
  const gathered = new ByteGatherer();
  for await (const chunk of part.body) {
    gathered.add(chunk);
    if (gathered.length > limitBytes) throw tooLarge(gathered.whole().subarray(0, limitBytes));
  }
  return gathered.whole();
}

/**
 * The content of a field as text.
 * @throws HttpError `invalid_body`, param the field's name, where it is not UTF-8.
 */
export function fieldText(name: string, value: Buffer): string {
  if (isUtf8(value)) return value.toString('utf8');
  throw new HttpError('invalid_body', `The form field ${shownText(name)} is not UTF-8 text.`, {
    param: name,
  });
}

/** The error for a form field that is too long. */
export function fieldTooLarge(name: string, limitBytes: number): HttpError {
  const message = `The form field ${shownText(name)} is larger than ${limitBytes} bytes.`;
  return new HttpError('request_too_large', message, { param: name });
}
