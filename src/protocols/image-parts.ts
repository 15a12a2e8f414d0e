import { type JsonMatch, type JsonScan, readStringStart } from '../json/matches.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJsonInTurns } from '../json/scan.ts';
import type { Patch } from '../json/splice.ts';
import { JsonScanError } from '../json/tokens.ts';
import { type GiveTurn, giveTurn, Pace } from '../turns.ts';
import { checkImageUrl } from './image-url.ts';
import { imageError } from './images.ts';

/** Where images stand in requests, for the scan: parts of chat messages, of the input of `/v1/responses`, of functions' outputs there. */
export const IMAGE_PATTERNS = [
  'messages.*.content.*.image_url',
  'messages.*.content.*.image_url.url',
  'messages.*.content.*.image',
  'input.*.content.*.image_url',
  'input.*.output.*.image_url',
] as const;

const CHAT_PART = 'messages.*.content.*.image_url';
const CHAT_URL = `${CHAT_PART}.url`;
/** Alibaba's own form of a part, `{"type":"image","image":URL}`, which its tools send to the chat API too. */
const QWEN_PART = 'messages.*.content.*.image';
const ANY_PART = 'messages.*.content.*';
/** For a second look, at bodies that hold a picture as a plain string. */
const PART_PATTERNS = compilePatterns([ANY_PART, `${ANY_PART}.type`]);
const IMAGES_LIMIT = 500;
/** Of images that are each too small to give way to others while they are read. */
const TURN_BYTES = 512 * 1024;
const NO_PATCHES: readonly Patch[] = [];
const QUOTE = 0x22;
const OBJECT_OPENING = Buffer.from('{"url":');
const OBJECT_CLOSING = Buffer.from('}');
/** The chat API's name of a part's type, and of its member. */
const CHAT_NAME = Buffer.from('"image_url"');
const FOREIGN_TYPES: readonly string[] = ['input_image', 'image'];
/** A type that is longer is none of those. */
const TYPE_LENGTH = 'input_image'.length + 1;

/**
 * Checks every image of a JSON body where it stands and returns what must differ for the provider: a wrong media type
 * is mended, and a plain string becomes the object form that the chat API documents (Qwen's API takes no other), as do
 * parts of the responses API (`input_image`) and of Alibaba's own in a chat.
 * Pictures behind http(s) addresses are passed on and never fetched. `turn` lets others have their turn of the event loop.
 * @throws HttpError `image_validation_failed` for an image that is too large, broken or of a wrong format.
 */
export async function checkImageParts(
  body: Buffer,
  scan: JsonScan,
  turn: GiveTurn = giveTurn,
): Promise<readonly Patch[]> {
  if (!scan.matches.some(({ pattern }) => isImagePattern(pattern))) return NO_PATCHES;
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
    const mended = check.kind === 'data' ? check.patches : [];
    if (pace.isDue(match.end - match.start)) await pace.giveTurn();
    const isBare = match.pattern === CHAT_PART || match.pattern === QWEN_PART;
    if (isBare) strings.push(match);
    if (match.pattern === QWEN_PART) patches.push({ ...nameSpan(body, match), bytes: CHAT_NAME });
    patches.push(...(isBare ? wrapped(match, mended) : mended));
  }
  requireUrls(scan, objects);
  if (strings.length > 0) patches.push(...(await retyped(body, strings)));
  return patches;
}

/**
 * @param count the number of this image among those of the request, from 1
 * @throws HttpError where it is no string, or one image too many
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

/** The string form in the chat API: the same value inside an object. */
function wrapped(match: JsonMatch, mended: readonly Patch[]): Patch[] {
  return [
    { start: match.start, end: match.start, bytes: OBJECT_OPENING },
    ...mended,
    { start: match.end, end: match.end, bytes: OBJECT_CLOSING },
  ];
}

/** True for a string that begins as a data URL or an http(s) address does. */
function isAddress(body: Buffer, match: JsonMatch): boolean {
  return (
    match.kind === 'string' && /^"(data|http)/i.test(body.toString('latin1', match.start, match.start + 5))
  );
}

/** Where the name of a member stands, quotes included, before its value. */
function nameSpan(body: Buffer, value: JsonMatch): { start: number; end: number } {
  const closing = body.lastIndexOf(QUOTE, value.start - 1);
  return { start: body.lastIndexOf(QUOTE, closing - 1), end: closing + 1 };
}

/** The type of the parts that name themselves as other APIs do, under the chat API's name. */
async function retyped(body: Buffer, strings: readonly JsonMatch[]): Promise<Patch[]> {
  const patches: Patch[] = [];
  let hasPicture = false;
  let isTyped = false;
  let next = 0;
  for (const match of await scanParts(body)) {
    if (match.pattern === ANY_PART) {
      while ((strings[next]?.start ?? body.length) < match.start) next += 1;
      hasPicture = (strings[next]?.start ?? body.length) < match.end;
      isTyped = false;
    } else if (hasPicture && isForeignType(body, match)) {
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

/** Objects and addresses come in the order of the body, so one walk over both is enough. */
function requireUrls(scan: JsonScan, objects: readonly JsonMatch[]): void {
  const urls = scan.matches.filter(({ pattern, kind }) => pattern === CHAT_URL && kind === 'string');
  let next = 0;
  for (const object of objects) {
    while ((urls[next]?.start ?? object.end) < object.start) next += 1;
    if ((urls[next]?.start ?? object.end) >= object.end)
      throw imageError('`image_url` has no `url`.', 'messages');
  }
}
