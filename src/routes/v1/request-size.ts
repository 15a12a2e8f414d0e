import type { JsonMatch, JsonScan } from '../../json/matches.ts';
import { NO_SIZE, type RequestSize } from '../../limits/use-estimate.ts';
import { audioSeconds as secondsOf } from '../../protocols/audio-duration.ts';
import { SOURCE_DATA } from '../../protocols/source-images.ts';

/** The members of a JSON body that tell what a call may use, beside those that hold pictures. */
export const SIZE_PATTERNS = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  'best_of',
  'input',
  'messages.*.content.*.file.file_data',
  'input.*.content.*.file_data',
  ...SOURCE_DATA,
] as const;

const DATA_URL = Buffer.from('"data:');
/** A longer number is read up to here. */
const DIGITS_LIMIT = 400;

/**
 * What a JSON request tells about what it will use. Where a member is given several times, the largest value counts, because
 * providers do not agree on which one they take.
 * @param isSpeech only the text to be spoken counts
 */
export function sizeOfJson(
  { bytes, scan }: { readonly bytes: Buffer; readonly scan: JsonScan },
  isSpeech: boolean,
): RequestSize {
  let textBytes = bytes.length;
  let spokenBytes = 0;
  let pictures = 0;
  let maxTokens: number | null = null;
  let choices = 1;
  for (const match of scan.matches) {
    const { pattern } = match;
    if (pattern.startsWith('max_')) {
      if (match.kind !== 'null') maxTokens = Math.max(maxTokens ?? 0, lengthAt(bytes, match));
    } else if (match.kind === 'number') choices = Math.max(choices, Math.ceil(numberAt(bytes, match)));
    else if (match.kind !== 'string') continue;
    else if (pattern === 'input') spokenBytes = Math.max(spokenBytes, match.end - match.start - 2);
    else if (isDataUrl(bytes, match) || isSourceData(bytes, match)) textBytes -= match.end - match.start;
    if (isPicture(pattern) || isSourceData(bytes, match)) pictures += 1;
  }
  return { textBytes: isSpeech ? spokenBytes : textBytes, pictures, maxTokens, choices, audioSeconds: 0 };
}

/** For the members that hold a picture as a string. */
function isPicture(pattern: string): boolean {
  return pattern.endsWith('image_url') || pattern.endsWith('image_url.url') || pattern.endsWith('.image');
}

/** Base64 of a picture or a document; the text of a document has spaces. */
function isSourceData(bytes: Buffer, { pattern, start, end }: JsonMatch): boolean {
  return (
    SOURCE_DATA.includes(pattern) &&
    /^[\w+/=\\-]+$/.test(bytes.toString('latin1', start + 1, Math.min(end - 1, start + 80)))
  );
}

function isDataUrl(bytes: Buffer, { start, end }: JsonMatch): boolean {
  return (
    end - start > DATA_URL.length &&
    bytes.compare(DATA_URL, 0, DATA_URL.length, start, start + DATA_URL.length) === 0
  );
}

/** Infinity for what is no length: some providers refuse it, others take it for no limit, or read numbers in strings. */
function lengthAt(bytes: Buffer, match: JsonMatch): number {
  const value = match.kind === 'number' ? numberAt(bytes, match) : 0;
  return value > 0 ? Math.ceil(value) : Number.POSITIVE_INFINITY;
}

/** Infinity for a number that is too long to be read. */
function numberAt(bytes: Buffer, { start, end }: JsonMatch): number {
  const value = Number(bytes.toString('latin1', start, Math.min(end, start + DIGITS_LIMIT)));
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

/** The members of a form that are read before its `model`. */
interface HeldForm {
  heldText(name: string): string | null;
  heldFile(): readonly Buffer[] | null;
}

/**
 * What a form tells about what it will use, at the moment when its model is known. A file that is still to come is judged by
 * the size of the request.
 * @param bytes the size that the request has, or may have at most
 */
export function sizeOfForm(form: HeldForm, bytes: number): RequestSize {
  const pieces = form.heldFile();
  const audioSeconds =
    pieces === null
      ? secondsOf(Buffer.alloc(0), bytes)
      : secondsOf(pieces[0] ?? Buffer.alloc(0), sizeOf(pieces));
  const choices = Number(form.heldText('n') ?? 1);
  return { ...NO_SIZE, choices: Number.isFinite(choices) ? Math.ceil(choices) : 1, audioSeconds };
}

/** The size of a request to read one picture. */
export function pictureSize(prompt: string | null): RequestSize {
  return { ...NO_SIZE, textBytes: Buffer.byteLength(prompt ?? ''), pictures: 1 };
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
