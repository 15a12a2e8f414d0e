import { HttpError } from '../errors.ts';

export type ImageMediaType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';

/** The largest image, decoded, inclusive. */
export const IMAGE_LIMIT_BYTES = 20_971_520;
const MEBIBYTE = 1_048_576;
const ACCEPTED = 'Send PNG, JPEG, WebP or GIF.';

interface Signature {
  readonly name: string;
  /** Matches the first bytes, read as ISO-8859-1. */
  readonly pattern: RegExp;
}

const IMAGES: readonly (Signature & { readonly name: ImageMediaType })[] = [
  { name: 'image/png', pattern: /^\x89PNG\r\n\cZ\n/ },
  { name: 'image/jpeg', pattern: /^\xff\xd8\xff/ },
  { name: 'image/gif', pattern: /^GIF8[79]a/ },
  { name: 'image/webp', pattern: /^RIFF.{4}WEBP/s },
];
const OTHERS: readonly Signature[] = [
  { name: 'BMP', pattern: /^BM/ },
  { name: 'TIFF', pattern: /^(II\*|MM)/ },
  { name: 'HEIC or AVIF', pattern: /^.{4}ftyp/s },
  { name: 'PDF', pattern: /^%PDF-/ },
  { name: 'SVG', pattern: /^\s*<(svg|\?xml|!doctype svg|!--)/i },
];

/** The media type of an image by its first bytes (12 suffice); null for a format that models do not accept. */
export function sniffImage(head: Buffer): ImageMediaType | null {
  return find(IMAGES, head)?.name ?? null;
}

/**
 * Checks an image by its first bytes (at least 12, or all) and its size in bytes. Returns its media type.
 * @throws HttpError `image_validation_failed`; the message says what is wrong.
 */
export function checkImage(head: Buffer, sizeBytes: number, param: string): ImageMediaType {
  if (sizeBytes > IMAGE_LIMIT_BYTES) throw imageTooLarge(sizeBytes, param);
  if (sizeBytes === 0) throw imageError('The image is empty.', param);
  const mediaType = sniffImage(head);
  if (mediaType !== null) return mediaType;
  const other = find(OTHERS, head)?.name;
  const problem =
    other === undefined ? 'The image is in no known format.' : `Unsupported image format: ${other}.`;
  throw imageError(`${problem} ${ACCEPTED}`, param);
}

/** The error for an image of `sizeBytes` or more; the message rounds the size up to 0.1 MB. */
export function imageTooLarge(sizeBytes: number, param: string): HttpError {
  const size = (Math.ceil((sizeBytes * 10) / MEBIBYTE) / 10).toFixed(1);
  const limit = IMAGE_LIMIT_BYTES / MEBIBYTE;
  return imageError(`Image size (${size}MB) exceeds maximum allowed size (${limit}MB)`, param);
}

/** An `image_validation_failed` error with this message. */
export function imageError(message: string, param: string): HttpError {
  return new HttpError('image_validation_failed', message, { param });
}

function find<T extends Signature>(signatures: readonly T[], head: Buffer): T | undefined {
  const text = head.toString('latin1', 0, 16);
  return signatures.find(({ pattern }) => pattern.test(text));
}
