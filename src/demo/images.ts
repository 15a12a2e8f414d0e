import { type DemoAnswer, type DemoCall, json } from './call.ts';
import { invalidValue, oneOf, optionalBoolean, optionalInteger, requiredString } from './fields.ts';
import { drawPicture } from './picture.ts';
import { estimateTokens } from './words.ts';

const MAX_IMAGES = 10;
const MIN_SIDE = 16;
const MAX_SIDE = 2048;
const DEFAULT_SIDE = 256;
const TOKENS_PER_IMAGE = 64;

/** POST /v1/images/generations (OpenAI API reference, Images): pictures made from the prompt, as PNG. */
export function imageGeneration(call: DemoCall): DemoAnswer {
  const { body } = call;
  const prompt = requiredString(body, 'prompt');
  oneOf(body, 'output_format', ['png']);
  if (optionalBoolean(body, 'stream')) throw invalidValue('stream', 'false, as pictures are not streamed');
  const asUrl = oneOf(body, 'response_format', ['b64_json', 'url']) === 'url';
  const length = optionalInteger(body, 'n', { min: 1, max: MAX_IMAGES }) ?? 1;
  const { width, height } = readSize(body['size']);
  const data = Array.from({ length }, (_, index) => {
    const base64 = drawPicture(`${prompt} #${index}`, width, height).toString('base64');
    return asUrl ? { url: `data:image/png;base64,${base64}` } : { b64_json: base64 };
  });
  const inputTokens = estimateTokens(prompt);
  const outputTokens = TOKENS_PER_IMAGE * length;
  return json({
    created: call.createdSeconds,
    data,
    background: 'opaque',
    output_format: 'png',
    quality: 'low',
    size: `${width}x${height}`,
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { text_tokens: inputTokens, image_tokens: 0 },
      output_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    },
  });
}

function readSize(size: unknown): { width: number; height: number } {
  if ((size ?? 'auto') === 'auto') return { width: DEFAULT_SIDE, height: DEFAULT_SIDE };
  const sides = /^(\d{1,4})x(\d{1,4})$/.exec(String(size));
  const [width, height] = [Number(sides?.[1]), Number(sides?.[2])];
  const isValid = [width, height].every((side) => side >= MIN_SIDE && side <= MAX_SIDE);
  if (!isValid) throw invalidValue('size', `auto or WIDTHxHEIGHT, sides from ${MIN_SIDE} to ${MAX_SIDE}`);
  return { width, height };
}
