import { type JsonMatch, type JsonScan, memberNameOf, readStringStart } from '../json/matches.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJsonInTurns } from '../json/scan.ts';
import type { Patch } from '../json/splice.ts';
import { JsonScanError } from '../json/tokens.ts';
import { type GiveTurn, giveTurn, Pace } from '../turns.ts';
import { checkImageUrl } from './image-url.ts';
import { imageError } from './images.ts';

/** Where a request may hold images: parts of chat messages, and the input and function outputs of `/v1/responses`. */
export const IMAGE_PATTERNS = [
  'messages.*.content.*.image_url',
  'messages.*.content.*.image_url.url',
  'messages.*.content.*.image',
  'input.*.content.*.image_url',
  'input.*.output.*.image_url',
] as const;

const CHAT_PART = 'messages.*.content.*.image_url';
const CHAT_URL = `${CHAT_PART}.url`;
/** Alibaba's form of an image part, `{"type":"image","image":URL}`; its tools send it to the chat API too. */
const QWEN_PART = 'messages.*.content.*.image';
const ANY_PART = 'messages.*.content.*';
/** For the second scan, of bodies that hold an image as a plain string. */
const PART_PATTERNS = compilePatterns([ANY_PART, `${ANY_PART}.type`]);
const IMAGES_LIMIT = 500;
/** After checking images of this size together, let other work run: small images do not yield on their own. */
const TURN_BYTES = 512 * 1024;
const NO_PATCHES: readonly Patch[] = [];
const OBJECT_OPENING = Buffer.from('{"url":');
const OBJECT_CLOSING = Buffer.from('}');
/** In the chat API, both the type of an image part and the name of its member. */
const CHAT_NAME = Buffer.from('"image_url"');
const FOREIGN_TYPES: readonly string[] = ['input_image', 'image'];
/** Enough to tell any longer type from these. */
const TYPE_LENGTH = 'input_image'.length + 1;

/**
 * Checks every image of a JSON body in place and returns the patches for the provider. A wrong media type is corrected. In a
 * chat, a plain string, an `input_image` part of the Responses API and Alibaba's `image` part become the object form that the
 * chat API documents, because Qwen's API accepts no other.
 * Images behind http(s) URLs pass and are never fetched.
 * @throws HttpError `image_validation_failed` for an image that is too large, broken or in an unsupported format.
 */
export function checkImageParts(
  body: Buffer,
  scan: JsonScan,
  turn: GiveTurn = giveTurn,
): readonly Patch[] | Promise<readonly Patch[]> {
  const hasImages = scan.matches.some(({ pattern }) => isImagePattern(pattern));
  return hasImages ? checkImages(body, scan, turn) : NO_PATCHES;
}

async function checkImages(body: Buffer, scan: JsonScan, turn: GiveTurn): Promise<readonly Patch[]> {
  const patches: Patch[] = [];
  const objects: JsonMatch[] = [];
  const strings: JsonMatch[] = [];
  let count = 0;
  const pace = new Pace(TURN_BYTES, turn);
  for (const match of scan.matches) {
    if (!isImagePattern(match.pattern)) continue;
    const param = match.pattern.startsWith('input') ? 'input' : 'messages';
    if (match.kind === 'object' && match.pattern === CHAT_PART) {
      objects.push(match);
      continue;
    }
    if (match.kind === 'null' || (match.pattern === QWEN_PART && !isAddress(body, match))) continue;
    count += 1;
    requireImageString(match, count, param);
    const check = await checkImageUrl(body, match, param);
    const corrections = check.kind === 'data' ? check.patches : [];
    if (pace.isDue(match.end - match.start)) await pace.giveTurn();
    const isBare = match.pattern === CHAT_PART || match.pattern === QWEN_PART;
    if (isBare) strings.push(match);
    if (match.pattern === QWEN_PART) patches.push({ ...memberNameOf(body, match), bytes: CHAT_NAME });
    patches.push(...(isBare ? wrappingPatches(match, corrections) : corrections));
  }
  requireUrls(scan, objects);
  if (strings.length > 0) patches.push(...(await typePatches(body, strings)));
  return patches;
}

/**
 * @param count the number of this image in the request, from 1
 * @throws HttpError `image_validation_failed` for a value that is not a string, and for an image over the limit.
 */
function requireImageString(match: JsonMatch, count: number, param: string): void {
  if (match.kind !== 'string') {
    const orObject = param === 'messages' ? ', or an object with a `url`' : ', as a string';
    throw imageError(`\`image_url\` must be a URL${orObject}.`, param);
  }
  if (count > IMAGES_LIMIT) throw imageError(`A request may hold ${IMAGES_LIMIT} images at most.`, param);
}

const IMAGE_PLACES: ReadonlySet<string> = new Set(IMAGE_PATTERNS);

function isImagePattern(pattern: string): boolean {
  return IMAGE_PLACES.has(pattern);
}

/** Wraps a string in the object form of the chat API. */
function wrappingPatches(match: JsonMatch, corrections: readonly Patch[]): Patch[] {
  return [
    { start: match.start, end: match.start, bytes: OBJECT_OPENING },
    ...corrections,
    { start: match.end, end: match.end, bytes: OBJECT_CLOSING },
  ];
}

/** True for a string that begins like a data URL or an http(s) URL. */
function isAddress(body: Buffer, match: JsonMatch): boolean {
  return (
    match.kind === 'string' && /^"(data|http)/i.test(body.toString('latin1', match.start, match.start + 5))
  );
}

/** Patches that give image parts of other APIs the chat API's type. */
async function typePatches(body: Buffer, strings: readonly JsonMatch[]): Promise<Patch[]> {
  const patches: Patch[] = [];
  let hasImage = false;
  let isTyped = false;
  let next = 0;
  for (const match of await scanParts(body)) {
    if (match.pattern === ANY_PART) {
      while ((strings[next]?.start ?? body.length) < match.start) next += 1;
      hasImage = (strings[next]?.start ?? body.length) < match.end;
      isTyped = false;
    } else if (hasImage && isForeignType(body, match)) {
      if (isTyped) throw imageError('A part of a message names its type more than once.', 'messages');
      isTyped = true;
      patches.push({ start: match.start, end: match.end, bytes: CHAT_NAME });
    }
  }
  return patches;
}

function isForeignType(body: Buffer, match: JsonMatch): boolean {
  return match.kind === 'string' && FOREIGN_TYPES.includes(readStringStart(body, match, TYPE_LENGTH));
}

async function scanParts(body: Buffer): Promise<readonly JsonMatch[]> {
  try {
    return (await scanJsonInTurns(body, PART_PATTERNS)).matches;
  } catch (error) {
    if (error instanceof JsonScanError) throw imageError('The messages have too many parts.', 'messages');
    throw error;
  }
}

/** Objects and URLs are in the order of the body, so one pass over both is enough. */
function requireUrls(scan: JsonScan, objects: readonly JsonMatch[]): void {
  const urls = scan.matches.filter(({ pattern, kind }) => pattern === CHAT_URL && kind === 'string');
  let next = 0;
  for (const object of objects) {
    while ((urls[next]?.start ?? object.end) < object.start) next += 1;
    if ((urls[next]?.start ?? object.end) >= object.end)
      throw imageError('`image_url` has no `url`.', 'messages');
  }
}
