import type { Model } from '../store/entities.ts';

/** Models whose names look like a vision model's, but which take no images or serve another purpose. */
const BLIND =
  /embed|rerank|whisper|transcri|(^|[-_/])(tts|stt|asr|audio|realtime|guard|moderation)([-_.:/]|$)|gpt-image|dall-e|imagen|o3-mini|o1-(mini|preview)|claude-(1|2|v1|v2|instant)|gemini-(1\.0-)?pro($|-00\d)|gemma-?3-(1b|270m)|gpt-4-turbo-preview|gpt-3/;
const SEEING: readonly RegExp[] = [
  /(^|[-_./: ])(vl|vlm|vision|visual|multimodal|omni)([-_./:\d ]|$)/,
  /claude/,
  /gpt-?4(-turbo|o|\.1|\.5)|gpt-[5-9]|chatgpt-4o|(^|[/:])o[134]($|[-:])/,
  /gemini|gemma-?3/,
  /qwen[\d.-]*vl|qvq|qwen.*omni/,
  /llama-?4|llama-?3\.2-(11|90)b|llava|bakllava/,
  /pixtral|mistral-(small-(3\.[12]|2503|2506)|medium-(3|2505|2508))/,
  /internvl|minicpm-?[vo]|moondream|molmo|idefics|smolvlm|paligemma|florence|cogvlm|cogagent|ovis|aria-chat/,
  /glm-[\d.]+v|deepseek-?vl|kimi-vl|step-1[ov]|yi-vl|nova-(lite|pro|premier)|grok-[4-9]/,
  /phi-?(3|3\.5|4)-(vision|multimodal)|ocr([-_./: ]|$)/,
];

/** Whether a model takes images: its `vision` flag decides; without the flag, a guess from its names. */
export function isVisionModel(model: Pick<Model, 'id' | 'upstreamModel' | 'vision'>): boolean {
  return model.vision ?? (isVisionModelName(model.id) || isVisionModelName(model.upstreamModel ?? ''));
}

function isVisionModelName(id: string): boolean {
  const name = id.toLowerCase();
  return !BLIND.test(name) && SEEING.some((pattern) => pattern.test(name));
}
