import { HttpError } from '../errors.ts';

export type ImageMediaType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';

/** Decoded; exactly this much passes. */
export const IMAGE_LIMIT_BYTES = 20_971_520;
const MEBIBYTE = 1_048_576;
const WANTED = 'Send PNG, JPEG, WebP or GIF.';

interface Signature {
  readonly name: string;
  /** Of the bytes as ISO-8859-1. */
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

/** The media type of an image by its first bytes, of which 12 are enough; null where it is none that models take. */
export function sniffImage(head: Buffer): ImageMediaType | null {
  return find(IMAGES, head)?.name ?? null;
}

/**
 * Checks an image by its first bytes (at least 12, or all) and its size in bytes.
 * @throws HttpError `image_validation_failed`, with the message of what is wrong.
 */
export function checkImage(head: Buffer, sizeBytes: number, param: string): ImageMediaType {
  if (sizeBytes > IMAGE_LIMIT_BYTES) throw imageTooLarge(sizeBytes, param);
  if (sizeBytes === 0) throw imageError('The image is empty.', param);
  const mediaType = sniffImage(head);
  if (mediaType !== null) return mediaType;
  const other = find(OTHERS, head)?.name;
  const what =
    other === undefined ? 'The image is in no known format.' : `Unsupported image format: ${other}.`;
  throw imageError(`${what} ${WANTED}`, param);
}

/** The error for an image of so many bytes, or of at least so many: the size is rounded up to 0.1 MB. */
export function imageTooLarge(sizeBytes: number, param: string): HttpError {
  const size = (Math.ceil((sizeBytes * 10) / MEBIBYTE) / 10).toFixed(1);
  const limit = IMAGE_LIMIT_BYTES / MEBIBYTE;
  return imageError(`Image size (${size}MB) exceeds maximum allowed size (${limit}MB)`, param);
}

/** An `image_validation_failed` with a message of its own. */
export function imageError(message: string, param: string): HttpError {
  return new HttpError('image_validation_failed', message, { param });
}

function find<T extends Signature>(signatures: readonly T[], head: Buffer): T | undefined {
  const text = head.toString('latin1', 0, 16);
  return signatures.find(({ pattern }) => pattern.test(text));
}
