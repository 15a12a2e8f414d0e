import { HttpError } from '../../errors.ts';
import { firstMatch, type JsonMatch, readStringStart } from '../../json/matches.ts';
import { compilePatterns } from '../../json/patterns.ts';
import { splice } from '../../json/splice.ts';
import { checkImageUrl } from '../../protocols/image-url.ts';
import type { OcrRequest } from '../../protocols/ocr.ts';
import { type JsonRequest, parseJsonRequest } from './json-request.ts';
import { PICKER_PATTERNS, PICKERS_FOLDING } from './model-pickers.ts';

/** Our own member (`image_url`) and the member that Mistral's clients send (`document`), each as a string or an object. */
const IMAGE_PLACES = ['image_url', 'image_url.url', 'document.image_url', 'document.image_url.url'] as const;
const PATTERNS = compilePatterns(
  ['model', 'prompt', 'document', 'document.type', ...PICKER_PATTERNS, ...IMAGE_PLACES],
  PICKERS_FOLDING,
);
/** The longest prompt, in UTF-16 units. In a form, the limit is as many bytes. */
const PROMPT_LENGTH = 1024 * 1024;

/** Parses the body of an OCR request. @throws HttpError as `parseJsonRequest`. */
export function parseOcrRequest(bytes: Buffer): JsonRequest | Promise<JsonRequest> {
  return parseJsonRequest(bytes, PATTERNS);
}

/**
 * Reads the image and the prompt of a JSON request. The image is not copied: its pieces are views of the body.
 * @throws HttpError `missing_required_parameter`, `invalid_value`, `image_validation_failed`.
 */
export async function readOcrJson(request: JsonRequest): Promise<Omit<OcrRequest, 'model'>> {
  const { bytes, scan } = request;
  const type = textAt(request, 'document.type');
  if (type !== null && type !== 'image_url') {
    throw new HttpError('invalid_value', '`document.type` must be image_url: only images are supported.', {
      param: 'document',
    });
  }
  const match = IMAGE_PLACES.map((pattern) => firstMatch(scan, pattern)).find(
    (found) => found?.kind === 'string',
  );
  if (match === undefined) {
    throw new HttpError(
      'missing_required_parameter',
      'You must provide `image_url`, as a URL or a data URL.',
      {
        param: 'image_url',
      },
    );
  }
  return {
    imageUrl: await imageAt(bytes, match),
    prompt: textAt(request, 'prompt') || null,
  };
}

/** The URL as in the body, without its quotes, with its patches applied. */
async function imageAt(bytes: Buffer, match: JsonMatch): Promise<Buffer[]> {
  const check = await checkImageUrl(bytes, match, 'image_url');
  const start = match.start + 1;
  const inner = bytes.subarray(start, match.end - 1);
  if (check.kind === 'url') return [inner];
  return splice(
    inner,
    check.patches.map((patch) => ({ ...patch, start: patch.start - start, end: patch.end - start })),
  );
}

function textAt({ bytes, scan }: JsonRequest, pattern: 'prompt' | 'document.type'): string | null {
  const match = firstMatch(scan, pattern);
  if (match === undefined || match.kind === 'null') return null;
  if (match.kind === 'string') {
    const text = readStringStart(bytes, match, PROMPT_LENGTH + 1);
    if (text.length <= PROMPT_LENGTH) return text;
    throw new HttpError('invalid_value', `\`${pattern}\` is longer than 1 MB.`, { param: pattern });
  }
  throw new HttpError('invalid_value', `\`${pattern}\` must be a string.`, { param: pattern });
}
