import { createHash } from 'node:crypto';
import { isRecord } from '../../src/json/value.ts';
import type { ReceivedRequest } from './fake-upstream.ts';

/** How each kind of picture that models take begins. */
const OPENINGS = {
  'image/png': '\x89PNG\r\n\x1a\n\0\0\0\rIHDR',
  'image/jpeg': '\xff\xd8\xff\xe0\0\x10JFIF\0\x01',
  'image/webp': 'RIFF\x24\0\0\0WEBPVP8 ',
  'image/gif': 'GIF89a\x01\0\x01\0\x80\0\0',
} as const;

export type PictureType = keyof typeof OPENINGS;
export const PICTURE_TYPES: readonly PictureType[] = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

/** Bytes that begin as a picture of the type does; the rest holds every value of a byte. */
export function pictureOf(type: PictureType, lengthBytes = 1000): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  for (let at = 0; at < Math.min(lengthBytes, 4096); at++) bytes[at] = (at * 89 + (at >> 8)) & 0xff;
  if (lengthBytes > 4096) bytes.copyWithin(4096, 0, 4096);
  bytes.write(OPENINGS[type], 'latin1');
  // The end counts too: bytes that are lost or added there are the likeliest.
  bytes.write('\xffEND', Math.max(lengthBytes - 4, 16), 'latin1');
  return bytes;
}

/** The canonical data URL. */
export function dataUrl(type: string, bytes: Buffer): string {
  return `data:${type};base64,${bytes.toString('base64')}`;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** One picture as an upstream got it. */
export interface SentPicture {
  /** The part's `image_url` as it stands in the body. */
  readonly value: unknown;
  readonly url: string;
  /** Of the label of a data URL, else null. */
  readonly mediaType: string | null;
  /** Of the decoded data, else null. */
  readonly digest: string | null;
}

/** The pictures of a chat completion that an upstream received, read as a strict server does: no mending. */
export function sentPictures(request: ReceivedRequest | undefined): SentPicture[] {
  const body: unknown = JSON.parse(request?.body.toString() ?? 'null');
  const messages = isRecord(body) && Array.isArray(body['messages']) ? body['messages'] : [];
  return messages
    .flatMap((message) => (isRecord(message) && Array.isArray(message['content']) ? message['content'] : []))
    .filter((part) => isRecord(part) && part['image_url'] !== undefined)
    .map((part) => toSent(part['image_url']));
}

function toSent(value: unknown): SentPicture {
  const given = isRecord(value) ? value['url'] : value;
  const url = typeof given === 'string' ? given : '';
  const [, mediaType, data = ''] = /^data:(image\/[a-z]+);base64,([A-Za-z0-9+/]*={0,2})$/.exec(url) ?? [];
  if (mediaType === undefined) return { value, url, mediaType: null, digest: null };
  if (data.length % 4 !== 0) throw new Error('the data lacks padding');
  return { value, url, mediaType, digest: sha256(Buffer.from(data, 'base64')) };
}

/** A part of a form: a field's text, or a file's bytes. */
export type FormPart =
  | readonly [name: string, text: string]
  | readonly [name: string, bytes: Buffer, file: { readonly name: string; readonly type?: string }];

const BOUNDARY = '------------------------d74496d66958873e';

/** A form in the order and the spelling that curl's `-F` gives it. */
export function curlForm(parts: readonly FormPart[]): { contentType: string; body: Buffer } {
  const pieces = parts.flatMap(([name, content, file]) => {
    const fileName = file === undefined ? '' : `; filename="${file.name}"`;
    const type = file?.type === undefined ? '' : `\r\nContent-Type: ${file.type}`;
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${fileName}${type}\r\n\r\n`;
    return [Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')];
  });
  const body = Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
  return { contentType: `multipart/form-data; boundary=${BOUNDARY}`, body };
}
