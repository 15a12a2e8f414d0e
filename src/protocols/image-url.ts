import type { Patch } from '../json/splice.ts';
import { parseJson } from '../json/value.ts';
import { type Base64Scan, scanBase64 } from './base64-scan.ts';
import { checkImage, type ImageMediaType, imageError } from './images.ts';

export type ImageUrlCheck =
  /** An http(s) URL: passes unchanged and is never fetched. */
  | { readonly kind: 'url' }
  | {
      readonly kind: 'data';
      /** The type that the bytes show, whatever the label says. */
      readonly mediaType: ImageMediaType;
      readonly decodedBytes: number;
      /** The changes that strict decoders need: label, alphabet, white space, padding. Usually empty. */
      readonly patches: readonly Patch[];
    };

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Longer than any label, which is the text before the comma. */
const LABEL_BYTES = 1024;
const QUOTE = 0x22;

/**
 * Checks an image URL in place: the bytes `[start, end)` of a string, with or without its quotes, in a body that is known to
 * be JSON. Accepts http(s) URLs unseen, and base64 data URLs (RFC 2397) in all spellings: any letter case, parameters, white
 * space, JSON escapes, the URL-safe alphabet, missing padding. The bytes decide the type: PNG, JPEG, GIF or WebP.
 * Large data is scanned in slices; other work of the event loop runs between them.
 * @throws HttpError `image_validation_failed`.
 */
export async function checkImageUrl(body: Buffer, span: Span, param: string): Promise<ImageUrlCheck> {
  const inner = withoutQuotes(body, span);
  const label = readLabel(body, inner);
  const url = label.text.trimStart();
  if (/^https?:\/\/[^\s/?#]/i.test(url)) return { kind: 'url' };
  if (!/^data:/i.test(url)) {
    throw imageError('An image URL must begin with https://, http:// or data:image/...;base64,', param);
  }
  if (label.end === null || !/;\s*base64\s*$/i.test(url)) {
    throw imageError('A data URL must hold base64, such as data:image/png;base64,iVBORw0KGgo...', param);
  }
  const data = { start: label.end, end: inner.end };
  const base64 = await scanBase64(body, data);
  if (base64 === null) throw imageError('The data of the image is not valid base64.', param);
  const mediaType = checkImage(base64.head, base64.decodedBytes, param);
  const canonical = `data:${mediaType};base64`;
  const patches =
    label.text === canonical ? [] : [patch(inner.start, data.start, Buffer.from(`${canonical},`))];
  patches.push(...(await correctData(body, data, base64)));
  return { kind: 'data', mediaType, decodedBytes: base64.decodedBytes, patches };
}

function patch(start: number, end: number, bytes: Buffer): Patch {
  return { start, end, bytes };
}

function withoutQuotes(body: Buffer, { start, end }: Span): Span {
  const isQuoted = end - start >= 2 && body[start] === QUOTE && body[end - 1] === QUOTE;
  return isQuoted ? { start: start + 1, end: end - 1 } : { start, end };
}

/** Decodes the JSON string up to its first comma. `end` is the offset after the comma, or null if there is no comma. */
function readLabel(body: Buffer, { start, end }: Span): { text: string; end: number | null } {
  const raw = body.toString('latin1', start, Math.min(end, start + LABEL_BYTES));
  let text = '';
  for (const { 0: token, index } of raw.matchAll(/\\u[\da-f]{4}|\\[^u]|[^\\]/gis)) {
    const character = token.length === 1 ? token : String(parseJson(`"${token}"`) ?? '\ufffd');
    if (character === ',') return { text, end: start + index + token.length };
    text += character;
  }
  return { text, end: null };
}

async function correctData(body: Buffer, data: Span, base64: Base64Scan): Promise<Patch[]> {
  if (base64.isLoose) {
    const bytes = Buffer.allocUnsafeSlow(Math.ceil(base64.decodedBytes / 3) * 4);
    let at = 0;
    await scanBase64(body, data, (canonical) => {
      at += bytes.write(canonical, at, 'latin1');
    });
    return [patch(data.start, data.end, bytes)];
  }
  if (base64.missingPadding === 0) return [];
  return [patch(data.end, data.end, Buffer.from('='.repeat(base64.missingPadding)))];
}
