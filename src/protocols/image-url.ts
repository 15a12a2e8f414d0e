import type { Patch } from '../json/splice.ts';
import { type Base64Facts, scanBase64 } from './base64-scan.ts';
import { checkImage, type ImageMediaType, imageError } from './images.ts';

export type ImageUrlCheck =
  /** To be passed on as it is. It is never fetched. */
  | { readonly kind: 'url' }
  | {
      readonly kind: 'data';
      /** What the bytes are, whatever the label says. */
      readonly mediaType: ImageMediaType;
      readonly decodedBytes: number;
      /** What has to change for strict readers: label, alphabet, white space, padding. Mostly empty. */
      readonly patches: readonly Patch[];
    };

interface Span {
  readonly start: number;
  readonly end: number;
}

/** More than any label has; what follows the comma is the data. */
const LABEL_BYTES = 1024;
const QUOTE = 0x22;

/**
 * Checks an image's URL where it stands in a body that is known to be JSON: the bytes `[start, end)` of a string, with its
 * quotes or without. Takes http(s) URLs unseen, and base64 data URLs (RFC 2397) in all spellings: any letter case, parameters,
 * white space, JSON escapes, the alphabet of URLs, missing padding. The bytes decide on the type, of PNG, JPEG, GIF and WebP.
 * Large data is looked at in slices, between which others get their turn.
 * Rejects with HttpError `image_validation_failed`.
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
  const facts = await scanBase64(body, data);
  if (facts === null) throw imageError('The data of the image is not valid base64.', param);
  const mediaType = checkImage(facts.head, facts.decodedBytes, param);
  const canonical = `data:${mediaType};base64`;
  const patches =
    label.text === canonical ? [] : [patch(inner.start, data.start, Buffer.from(`${canonical},`))];
  patches.push(...(await mendData(body, data, facts)));
  return { kind: 'data', mediaType, decodedBytes: facts.decodedBytes, patches };
}

function patch(start: number, end: number, bytes: Buffer): Patch {
  return { start, end, bytes };
}

function withoutQuotes(body: Buffer, { start, end }: Span): Span {
  const isQuoted = end - start >= 2 && body[start] === QUOTE && body[end - 1] === QUOTE;
  return isQuoted ? { start: start + 1, end: end - 1 } : { start, end };
}

/** Decodes the JSON string up to its first comma; the end is behind that, or null where there is none. */
function readLabel(body: Buffer, { start, end }: Span): { text: string; end: number | null } {
  const raw = body.toString('latin1', start, Math.min(end, start + LABEL_BYTES));
  let text = '';
  for (const { 0: token, index } of raw.matchAll(/\\u[\da-f]{4}|\\[^u]|[^\\]/gis)) {
    const character = token.length === 1 ? token : unescapeToken(token);
    if (character === ',') return { text, end: start + index + token.length };
    text += character;
  }
  return { text, end: null };
}

function unescapeToken(token: string): string {
  try {
    return String(JSON.parse(`"${token}"`));
  } catch {
    return '\ufffd';
  }
}

async function mendData(body: Buffer, data: Span, facts: Base64Facts): Promise<Patch[]> {
  if (facts.isLoose) {
    const bytes = Buffer.allocUnsafeSlow(Math.ceil(facts.decodedBytes / 3) * 4);
    let at = 0;
    await scanBase64(body, data, (canonical) => {
      at += bytes.write(canonical, at, 'latin1');
    });
    return [patch(data.start, data.end, bytes)];
  }
  if (facts.missingPadding === 0) return [];
  return [patch(data.end, data.end, Buffer.from('='.repeat(facts.missingPadding)))];
}
