import { HttpError } from '../errors.ts';
import { isRecord, parseJson } from '../json/value.ts';
import type { ModelOptions } from '../store/entities.ts';
import { fieldsWithOptions } from './model-options.ts';

export interface OcrRequest {
  /** The model's name at the provider. */
  readonly model: string;
  /** The URL of the image, in pieces, escaped for a JSON string. */
  readonly imageUrl: readonly Buffer[];
  /** null: the default prompt. */
  readonly prompt: string | null;
}

/** The prompt by which dots.ocr returns plain text (rednote-hilab/dots.ocr, dots_ocr/utils/prompts.py). */
const DEFAULT_PROMPT = 'Extract the text content from this image.';
const TOKENS = 8192;
const DEPTH_AT_MOST = 8;
const TEXTS = ['text', 'markdown', 'content', 'result'] as const;

/**
 * The body of a chat completion that reads the text of an image, in pieces of JSON: the image first, then the prompt, as
 * dots.ocr's own client does. A large image is never held as one string.
 * @param options of the model, for the other fields
 */
export function ocrChatBody({ model, imageUrl, prompt }: OcrRequest, options: ModelOptions): Buffer[] {
  const before = `{"model":${JSON.stringify(model)},"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"`;
  const text = { type: 'text', text: prompt ?? DEFAULT_PROMPT };
  const settings = fieldsWithOptions(samplingFor(model), options).toString().slice(1, -1);
  const after = `"}},${JSON.stringify(text)}]}]${settings === '' ? '' : `,${settings}`}}`;
  return [Buffer.from(before), ...imageUrl, Buffer.from(after)];
}

/**
 * The text in the response to `ocrChatBody`, or in the response of an OCR service with its own format (`text`, `markdown`,
 * `content`, `result`, `pages`). A code fence around the text is removed. The texts of a layout (`[{bbox, category, text}]`) are
 * joined by blank lines.
 * @throws HttpError `upstream_invalid_response` if the response holds no text.
 */
export function readOcrText(response: Buffer): string {
  const value = parseJson(response);
  const text =
    isRecord(value) && Array.isArray(value['choices']) ? messageText(value['choices']) : textOf(value, 0);
  if (text !== null) return plainText(text);
  const message = "The provider's response holds no text of the image.";
  throw new HttpError('upstream_invalid_response', message);
}

/** Reasoning models refuse `max_tokens` and `temperature`. Claude refuses `temperature` together with `top_p`. */
function samplingFor(model: string): Record<string, number> {
  if (/(^|\/)(o[1-9]|gpt-[5-9])/i.test(model)) return { max_completion_tokens: TOKENS };
  if (/claude/i.test(model)) return { max_tokens: TOKENS, temperature: 0.1 };
  return { max_tokens: TOKENS, temperature: 0.1, top_p: 0.9 };
}

function messageText(choices: readonly unknown[]): string | null {
  const [choice] = choices;
  if (!isRecord(choice)) return null;
  const message = isRecord(choice['message']) ? choice['message'] : choice;
  const content = message['content'] ?? message['text'];
  if (typeof content === 'string') return content;
  // An image without text.
  if (content === null || content === undefined) return 'content' in message ? '' : null;
  if (!Array.isArray(content)) return null;
  return content
    .map((part) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

/** The text in the response of another OCR service; pages are joined by blank lines. */
function textOf(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return value;
  if (depth > DEPTH_AT_MOST) return null;
  if (Array.isArray(value)) return joinTexts(value.map((item) => textOf(item, depth + 1)));
  if (!isRecord(value)) return null;
  for (const name of TEXTS) {
    const text = textOf(value[name], depth + 1);
    if (text !== null) return text;
  }
  return Array.isArray(value['pages']) ? textOf(value['pages'], depth + 1) : null;
}

function joinTexts(texts: readonly (string | null)[]): string | null {
  const found = texts.filter((text) => text !== null);
  return texts.length > 0 && found.length === 0 ? null : found.filter((text) => text !== '').join('\n\n');
}

function plainText(text: string): string {
  const bare = withoutFence(text.trim());
  if (!/^[[{]/.test(bare)) return bare;
  return layoutText(parseJson(bare) ?? parseJson(completedLayout(bare))) ?? bare;
}

/** Removes a fence around the whole text. A fence without an end belongs to a truncated response. */
function withoutFence(text: string): string {
  const opening = /^(`{3,}|~{3,})[^\n`]*\n/.exec(text);
  if (opening === null) return text;
  const [line, fence = ''] = opening;
  const inner = text.slice(line.length);
  const end = inner.indexOf(`\n${fence}`);
  if (end < 0) return inner.startsWith(fence) ? inner.slice(fence.length).trim() : inner.trim();
  // A fence with text after it is a part of the document.
  return inner.slice(end + 1 + fence.length).trim() === '' ? inner.slice(0, end).trim() : text;
}

/** The texts of a layout in their order; null if the document's own text only looks like JSON. */
function layoutText(value: unknown): string | null {
  const items = Array.isArray(value) ? value : [value];
  const isLayout = items.length > 0 && items.every((item) => isRecord(item) && isLayoutItem(item));
  if (!isLayout) return isRecord(value) && ('text' in value || 'pages' in value) ? textOf(value, 0) : null;
  return joinTexts(items.map((item) => (typeof item['text'] === 'string' ? item['text'].trim() : '')));
}

function isLayoutItem(item: Record<string, unknown>): boolean {
  return (
    Array.isArray(item['bbox']) || typeof item['category'] === 'string' || typeof item['text'] === 'string'
  );
}

/** A layout that was truncated for its length, ended after its last whole item. */
function completedLayout(text: string): string {
  return `${text.slice(0, text.lastIndexOf('},') + 1)}]`;
}
