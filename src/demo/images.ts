import { isRecord } from '../json/value.ts';
import { decodeDataUrl } from './attachments.ts';
import { type DemoAnswer, type DemoCall, eventStream, json, shortSha256, typedRecord } from './call.ts';
import {
  invalidValue,
  missingParameter,
  oneOf,
  optionalBoolean,
  optionalInteger,
  requiredString,
} from './fields.ts';
import { paintMosaic } from './mosaic.ts';
import { estimateTokens } from './tokens.ts';

const MAX_IMAGES = 10;
const MAX_SOURCES = 16;
const MAX_PIXELS_PER_SIDE = 2048;
const DEFAULT_SIDE = 256;

interface Painting {
  readonly bytes: Buffer;
  readonly size: string;
}

/** POST /v1/images/generations (OpenAI API reference, Images): mosaics made from the prompt, as PNG. */
export function imageGeneration(call: DemoCall): DemoAnswer {
  const prompt = requiredString(call.body, 'prompt');
  return answer(call, { prompt, seed: prompt, event: 'image_generation' });
}

/** POST /v1/images/edits, as a form or as JSON: mosaics made from the prompt and the images. */
export function imageEdit(call: DemoCall): DemoAnswer {
  const prompt = requiredString(call.body, 'prompt');
  const sources = readSources(call);
  const seed = [prompt, ...sources.map((source) => shortSha256(source, 64))].join(' ');
  return answer(call, { prompt, seed, event: 'image_edit' });
}

/** POST /v1/images/variations: mosaics made from the image. */
export function imageVariation(call: DemoCall): DemoAnswer {
  const seed = shortSha256(readSources(call)[0] ?? '', 64);
  return answer(call, { prompt: `A variation of ${seed.slice(0, 8)}`, seed, event: 'image_edit' });
}

function answer(
  call: DemoCall,
  wish: { readonly prompt: string; readonly seed: string; readonly event: string },
): DemoAnswer {
  const { body } = call;
  oneOf(body, 'output_format', ['png']);
  const asUrl = oneOf(body, 'response_format', ['b64_json', 'url']) === 'url';
  const count = optionalInteger(body, 'n', { min: 1, max: MAX_IMAGES }) ?? 1;
  const { width, height } = readSize(body['size']);
  const paint = (index: number): Painting => {
    const seed = index === 0 ? wish.seed : `${wish.seed} #${index + 1}`;
    return {
      bytes: paintMosaic({ seed, description: wish.prompt, width, height }),
      size: `${width}x${height}`,
    };
  };
  const usage = usageOf(wish.prompt, count);
  if (optionalBoolean(body, 'stream')) {
    const partials = optionalInteger(body, 'partial_images', { min: 0, max: 3 }) ?? 0;
    return eventStream(events(call, { event: wish.event, painting: paint(0), partials, usage }));
  }
  const data = Array.from({ length: count }, (_, index) => {
    const base64 = paint(index).bytes.toString('base64');
    return asUrl ? { url: `data:image/png;base64,${base64}` } : { b64_json: base64 };
  });
  const looks = { background: 'opaque', output_format: 'png', quality: 'low', size: `${width}x${height}` };
  return json({ created: call.createdSeconds, data, ...looks, usage });
}

function* events(
  call: DemoCall,
  stream: {
    readonly event: string;
    readonly painting: Painting;
    readonly partials: number;
    readonly usage: object;
  },
): Generator<string> {
  const { painting } = stream;
  const shared = {
    b64_json: painting.bytes.toString('base64'),
    created_at: call.createdSeconds,
    size: painting.size,
    quality: 'low',
    background: 'opaque',
    output_format: 'png',
  };
  for (let index = 0; index < stream.partials; index += 1) {
    yield typedRecord({ type: `${stream.event}.partial_image`, partial_image_index: index, ...shared });
  }
  yield typedRecord({ type: `${stream.event}.completed`, ...shared, usage: stream.usage });
}

/** Reads the images to work on: `image`, repeated or not, of a form, or the data URLs of a JSON body. */
function readSources(call: DemoCall): Buffer[] {
  const { images } = call.body;
  const listed = (Array.isArray(images) ? images : []).map((image) => {
    const url = isRecord(image) ? image['image_url'] : undefined;
    const bytes = typeof url === 'string' ? decodeDataUrl(url) : null;
    if (bytes === null) throw invalidValue('images', 'data URLs: the demo provider fetches nothing');
    return bytes;
  });
  const sources = [
    ...call.files.filter((file) => file.field === 'image').map((file) => file.bytes),
    ...listed,
  ];
  if (sources.length === 0) throw missingParameter('image');
  if (sources.length > MAX_SOURCES) throw invalidValue('image', `at most ${MAX_SOURCES} images`);
  return sources;
}

function readSize(size: unknown): { width: number; height: number } {
  const wanted = size ?? 'auto';
  if (wanted === 'auto') return { width: DEFAULT_SIDE, height: DEFAULT_SIDE };
  const sides = typeof wanted === 'string' ? /^(\d{1,4})x(\d{1,4})$/.exec(wanted) : null;
  const [width, height] = [Number(sides?.[1]), Number(sides?.[2])];
  const isValid = [width, height].every((side) => side >= 16 && side <= MAX_PIXELS_PER_SIDE);
  if (!isValid) throw invalidValue('size', `auto or WIDTHxHEIGHT, sides from 16 to ${MAX_PIXELS_PER_SIDE}`);
  return { width, height };
}

function usageOf(prompt: string, count: number): object {
  const inputTokens = estimateTokens(prompt);
  const outputTokens = 64 * count;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { text_tokens: inputTokens, image_tokens: 0 },
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}
