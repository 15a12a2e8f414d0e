import type { JsonMatch, JsonScan } from '../../json/matches.ts';
import type { RequestSize } from '../../limits/use-estimate.ts';
import { audioSeconds as secondsOf } from '../../protocols/audio-duration.ts';

/** The members of a JSON body that tell what a call may use, beside those that hold pictures. */
export const SIZE_PATTERNS = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  'input',
  'messages.*.content.*.file.file_data',
  'input.*.content.*.file_data',
] as const;

const DATA_URL = Buffer.from('"data:');
/** Longer than any number that means something here. */
const DIGITS_LIMIT = 16;

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
    if (match.kind === 'number') {
      const value = numberAt(bytes, match);
      if (pattern === 'n') choices = Math.max(choices, value);
      else if (pattern.startsWith('max_')) maxTokens = Math.max(maxTokens ?? 0, value);
    } else if (match.kind !== 'string') continue;
    else if (pattern === 'input') spokenBytes = match.end - match.start - 2;
    else if (isDataUrl(bytes, match)) textBytes -= match.end - match.start;
    if (isPicture(pattern)) pictures += 1;
  }
  return { textBytes: isSpeech ? spokenBytes : textBytes, pictures, maxTokens, choices, audioSeconds: 0 };
}

/** For the members that hold a picture as a string. */
function isPicture(pattern: string): boolean {
  return pattern.endsWith('image_url') || pattern.endsWith('image_url.url') || pattern.endsWith('.image');
}

function isDataUrl(bytes: Buffer, { start, end }: JsonMatch): boolean {
  return (
    end - start > DATA_URL.length &&
    bytes.compare(DATA_URL, 0, DATA_URL.length, start, start + DATA_URL.length) === 0
  );
}

/** A whole number; 0 for one that makes no sense, which the provider refuses. */
function numberAt(bytes: Buffer, { start, end }: JsonMatch): number {
  if (end - start > DIGITS_LIMIT) return 0;
  const value = Number(bytes.toString('latin1', start, end));
  return Number.isFinite(value) && value > 0 ? Math.ceil(value) : 0;
}

/** The members of a form that are read before its `model`. */
interface HeldForm {
  heldText(name: string): string | null;
  heldFile(): readonly Buffer[] | null;
}

/**
 * What a form tells about what it will use, at the moment when its model is known. A file that is still to come is judged by
 * the size of the request.
 * @param announced the header `content-length`
 */
export function sizeOfForm(form: HeldForm, announced: string | undefined): RequestSize {
  const pieces = form.heldFile();
  const audioSeconds =
    pieces === null
      ? secondsOf(Buffer.alloc(0), Number(announced ?? 0))
      : secondsOf(pieces[0] ?? Buffer.alloc(0), sizeOf(pieces));
  const choices = Number(form.heldText('n') ?? 1);
  return { ...NO_SIZE, choices: Number.isFinite(choices) ? Math.ceil(choices) : 1, audioSeconds };
}

/** The size of a request to read one picture. */
export function pictureSize(prompt: string | null): RequestSize {
  return { ...NO_SIZE, textBytes: Buffer.byteLength(prompt ?? ''), pictures: 1 };
}

const NO_SIZE: RequestSize = { textBytes: 0, pictures: 0, maxTokens: null, choices: 1, audioSeconds: 0 };

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
