import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVisionModel } from '../../src/protocols/vision.ts';

const modelNamed = (id: string, upstreamModel: string | null = null, vision: boolean | null = null) => ({
  id,
  upstreamModel,
  vision,
});

describe('isVisionModel() without a flag', () => {
  const seeing = `claude-sonnet-4-5 claude-opus-4-1 claude-haiku claude-3-5-sonnet-20241022 anthropic/claude-3.7-sonnet gpt-4-vision-preview
    gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4o gpt-4o-mini openai/gpt-4o-2024-08-06 chatgpt-4o-latest gpt-4.1 gpt-4.1-nano gpt-5 gpt-5-mini
    o1 o3 o3-pro o4-mini openai/o3 gemini-2.5-pro gemini-1.5-pro gemini-1.5-flash gemini-pro-vision models/gemini-2.0-flash gemma-3-27b-it
    qwen-vl qwen2-vl qwen3-vl qwen3-vl-plus qwen-vl-max Qwen/Qwen2.5-VL-72B-Instruct qvq-max qwen2.5-omni-7b llava:13b bakllava pixtral-12b-2409
    llama-3.2-11b-vision-preview meta-llama/Llama-4-Scout-17B-16E-Instruct OpenGVLab/InternVL3-78B openbmb/MiniCPM-V-2_6 moondream
    rednote-hilab/dots.ocr dots-ocr dots.mocr deepseek-ocr olmOCR-7B grok-2-vision-1212 grok-4 phi-3.5-vision-instruct microsoft/phi-4-multimodal-instruct
    glm-4.5v mistral-small-3.2-24b deepseek-vl2 google/paligemma-3b`;
  for (const name of seeing.split(/\s+/)) {
    it(`recognises ${name} as a vision model`, () => assert.equal(isVisionModel(modelNamed(name)), true));
  }
  const blind = `gpt-4 gpt-3.5-turbo gpt-4-turbo-preview gpt-4o-transcribe gpt-4o-mini-tts gpt-4o-audio-preview gpt-4o-realtime-preview o1-mini o3-mini
    claude-2.1 claude-instant-1.2 gemini-pro gemini-embedding-001 text-embedding-3-small whisper-1 qwen3-embedding-8b qwen2-audio-7b qwen-max
    llama-3.1-70b mixtral-8x7b deepseek-chat gemma-3-1b-it gemma-2-9b phi-3-mini dall-e-3 gpt-image-1 gpt-oss-120b kokoro foo3 mediocrity vlad __proto__`;
  for (const name of blind.split(/\s+/)) {
    it(`recognises ${name} as a model without vision`, () =>
      assert.equal(isVisionModel(modelNamed(name)), false));
  }
});

describe('isVisionModel()', () => {
  it('checks the name at the provider too', () => {
    assert.equal(isVisionModel(modelNamed('reader', 'gpt-4o')), true);
    assert.equal(isVisionModel(modelNamed('reader', 'gpt-4')), false);
  });
  it('prefers the flag to any name', () => {
    assert.equal(isVisionModel(modelNamed('gpt-4o', null, false)), false);
    assert.equal(isVisionModel(modelNamed('gpt-4', null, true)), true);
  });
});
