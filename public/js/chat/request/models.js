/** The models that can be chosen, and what each is for. Has no DOM. */

/** @typedef {import('../types.js').Kind} Kind */
/** @typedef {import('../types.js').Model} Model */

/** What the groups of models are called, in the order of the list. @type {Readonly<Record<Kind, string>>} */
export const KIND_NAMES = {
  chat: 'Chat',
  ocr: 'Images to text',
  transcribe: 'Audio to text',
  speech: 'Text to speech',
  image: 'Pictures',
  none: 'Not for a chat',
};

/** The first that fits wins. @type {readonly [Kind, RegExp][]} */
const NAMES = [
  ['none', /embed|rerank|moderation|(^|[^a-z])(bge|gte|e5)([^a-z]|$)/i],
  ['ocr', /ocr/i],
  ['transcribe', /whisper|transcri|audio-?to-?text|speech-?to-?text|(^|[^a-z])(asr|stt)([^a-z]|$)/i],
  ['speech', /(^|[^a-z])tts([^a-z]|$)|text-?to-?speech|(^|[^a-z])kokoro/i],
  ['image', /gpt-image|dall-?e|imagen|(^|[^a-z])flux|stable-?diffusion|sdxl|(demo|qwen|hunyuan)-image/i],
];

/**
 * What a model is for, by its name: the list of models does not say.
 * @param {string} modelId
 * @returns {Kind}
 */
export function kindOf(modelId) {
  return NAMES.find(([, name]) => name.test(modelId))?.[0] ?? 'chat';
}

/**
 * Reads the answer to `GET /v1/models`.
 * @param {any} body
 * @returns {Model[]}
 */
export function toModels(body) {
  const list = Array.isArray(body?.data) ? body.data : [];
  return list
    .filter((/** @type {any} */ model) => typeof model?.id === 'string')
    .map((/** @type {any} */ model) => ({
      id: model.id,
      name: typeof model.name === 'string' && model.name !== '' ? model.name : model.id,
      hasVision: model.vision === true,
      kind: kindOf(model.id),
      price: typeof model.price === 'object' ? model.price : null,
    }));
}
