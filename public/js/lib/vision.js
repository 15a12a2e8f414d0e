import { h } from './h.js';
import { icon } from './icons.js';

/** Names of models that take images; the server guesses by the same kind of list. */
const VISION_NAMES =
  /claude-(sonnet|opus|haiku|3|4)|gpt-(4o|4\.1|4-turbo|4-vision|5)|\bo[34]\b|gemini|qwen.*(vl|omni)|qvq|llava|pixtral|vision|-vl\b|dots.?ocr|internvl|molmo|moondream/i;

/**
 * Whether a model takes images, as set or as its name says.
 * @param {{ id: string, vision: boolean | null, upstreamModel: string | null }} model
 */
export function hasVision(model) {
  return model.vision ?? VISION_NAMES.test(`${model.id} ${model.upstreamModel ?? ''}`);
}

/** The sign of a model that takes images. */
export function visionBadge() {
  return h(
    'span',
    { class: 'badge', title: 'Takes images' },
    icon('camera'),
    h('span', { class: 'visually-hidden' }, 'Takes images'),
  );
}
