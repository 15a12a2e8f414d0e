import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { checkImage, imageTooLarge, isVisionModelName, sniffImage } from '../../src/protocols/images.ts';

const SAMPLES: Readonly<Record<string, Buffer>> = {
  'image/png': Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'),
  'image/jpeg': Buffer.from('\xff\xd8\xff\xe0', 'latin1'),
  'image/gif': Buffer.from('GIF89a'),
  'image/webp': Buffer.from('RIFF\n\n\0\0WEBPVP8 ', 'latin1'),
};

function isImageError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HttpError);
    assert.match(error.message, message);
    assert.deepEqual(
      { status: error.status, code: error.error.code, param: error.error.param },
      { status: 400, code: 'image_validation_failed', param: 'image' },
    );
    return true;
  };
}

describe('sniffImage()', () => {
  for (const [type, head] of Object.entries(SAMPLES)) {
    it(`knows ${type} and nothing shorter or other`, () => {
      assert.equal(sniffImage(head), type);
      assert.equal(sniffImage(Buffer.concat([head, Buffer.alloc(99)])), type);
      assert.equal(sniffImage(head.subarray(0, 2)), null);
      assert.equal(sniffImage(Buffer.concat([Buffer.from(' '), head])), null);
    });
  }
  it('knows GIF87a', () => assert.equal(sniffImage(Buffer.from('GIF87a')), 'image/gif'));
  it('does not take sound for WebP', () => assert.equal(sniffImage(Buffer.from('RIFF\0\0\0\0WAVE')), null));
});

describe('checkImage()', () => {
  const png = SAMPLES['image/png'] ?? Buffer.alloc(0);
  it('takes exactly 20 MiB and not one byte more', () => {
    assert.equal(checkImage(png, 20_971_520, 'image'), 'image/png');
    assert.throws(
      () => checkImage(png, 20_971_521, 'image'),
      isImageError(/^Image size \(20\.1MB\) exceeds maximum allowed size \(20MB\)$/),
    );
  });
  const refused: [string, Buffer, RegExp][] = [
    ['nothing', Buffer.alloc(0), /empty/],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'), /SVG/],
    ['XML', Buffer.from('<?xml version="1.0"?>'), /SVG/],
    ['PDF', Buffer.from('%PDF-1.7'), /PDF/],
    ['BMP', Buffer.from('BM\0\0'), /BMP/],
    ['TIFF', Buffer.from('II*\0'), /TIFF/],
    ['HEIC', Buffer.from('\0\0\0\x18ftypheic'), /HEIC/],
    ['text', Buffer.from('hello'), /no known format.*PNG, JPEG, WebP or GIF/],
  ];
  for (const [what, head, message] of refused) {
    it(`refuses ${what}`, () =>
      assert.throws(() => checkImage(head, head.length, 'image'), isImageError(message)));
  }
});

describe('imageTooLarge()', () => {
  for (const [bytes, size] of [
    [26_528_973, '25.4'],
    [26_528_972, '25.3'],
    [26_424_116, '25.3'],
    [26_424_115, '25.2'],
    [27_262_976, '26.0'],
    [104_857_600, '100.0'],
  ] as const) {
    it(`says ${size}MB for ${bytes} bytes`, () => {
      assert.equal(
        imageTooLarge(bytes, 'image').message,
        `Image size (${size}MB) exceeds maximum allowed size (20MB)`,
      );
    });
  }
});

describe('isVisionModelName()', () => {
  const seeing = `claude-sonnet-4-5 claude-opus-4-1 claude-haiku claude-3-5-sonnet-20241022 anthropic/claude-3.7-sonnet gpt-4-vision-preview
    gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4o gpt-4o-mini openai/gpt-4o-2024-08-06 chatgpt-4o-latest gpt-4.1 gpt-4.1-nano gpt-5 gpt-5-mini
    o1 o3 o3-pro o4-mini openai/o3 gemini-2.5-pro gemini-1.5-pro gemini-1.5-flash gemini-pro-vision models/gemini-2.0-flash gemma-3-27b-it
    qwen-vl qwen2-vl qwen3-vl qwen3-vl-plus qwen-vl-max Qwen/Qwen2.5-VL-72B-Instruct qvq-max qwen2.5-omni-7b llava:13b bakllava pixtral-12b-2409
    llama-3.2-11b-vision-preview meta-llama/Llama-4-Scout-17B-16E-Instruct OpenGVLab/InternVL3-78B openbmb/MiniCPM-V-2_6 moondream
    rednote-hilab/dots.ocr dots-ocr dots.mocr deepseek-ocr olmOCR-7B grok-2-vision-1212 grok-4 phi-3.5-vision-instruct microsoft/phi-4-multimodal-instruct
    glm-4.5v mistral-small-3.2-24b deepseek-vl2 google/paligemma-3b`;
  for (const name of seeing.split(/\s+/)) {
    it(`takes ${name} for one that sees`, () => assert.equal(isVisionModelName(name), true));
  }
  const blind = `gpt-4 gpt-3.5-turbo gpt-4-turbo-preview gpt-4o-transcribe gpt-4o-mini-tts gpt-4o-audio-preview gpt-4o-realtime-preview o1-mini o3-mini
    claude-2.1 claude-instant-1.2 gemini-pro gemini-embedding-001 text-embedding-3-small whisper-1 qwen3-embedding-8b qwen2-audio-7b qwen-max
    llama-3.1-70b mixtral-8x7b deepseek-chat gemma-3-1b-it gemma-2-9b phi-3-mini dall-e-3 gpt-image-1 gpt-oss-120b kokoro foo3 mediocrity vlad __proto__`;
  for (const name of blind.split(/\s+/)) {
    it(`takes ${name} for one that does not`, () => assert.equal(isVisionModelName(name), false));
  }
});
