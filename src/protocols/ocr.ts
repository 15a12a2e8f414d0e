import { HttpError } from '../errors.ts';
import { isRecord, parseJson } from '../json/value.ts';

export interface OcrRequest {
  /** The upstream's name of the model. */
  readonly model: string;
  /** The URL of the image, in pieces, as it stands in a JSON string. */
  readonly imageUrl: readonly Buffer[];
  /** Null for the usual one. */
  readonly prompt: string | null;
}

/** What dots.ocr is asked for plain text with (rednote-hilab/dots.ocr, dots_ocr/utils/prompts.py). */
const USUAL_PROMPT = 'Extract the text content from this image.';
const TOKENS = 8192;
const DEPTH_AT_MOST = 8;
const TEXTS = ['text', 'markdown', 'content', 'result'] as const;

/**
 * The chat completion that reads the text of an image, as pieces of one JSON body: the image first, then the prompt, as
 * dots.ocr's own client does. A large image is never held as one string.
 */
export function ocrChatBody({ model, imageUrl, prompt }: OcrRequest): Buffer[] {
  const before = `{"model":${JSON.stringify(model)},"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"`;
  const text = { type: 'text', text: prompt ?? USUAL_PROMPT };
  const settings = JSON.stringify(samplingFor(model)).slice(1, -1);
  const after = `"}},${JSON.stringify(text)}]}],${settings}}`;
  return [Buffer.from(before), ...imageUrl, Buffer.from(after)];
}

/**
 * The text in the answer to `ocrChatBody`, or in that of an OCR service of its own kind (`text`, `markdown`, `content`,
 * `result`, `pages`). Code fences around it are taken off; of a layout (`[{bbox, category, text}]`) the texts are joined by
 * blank lines.
 * @throws HttpError `upstream_invalid_response` where there is none.
 */
export function readOcrText(answer: Buffer): string {
  const value = parseJson(answer);
  const text =
    isRecord(value) && Array.isArray(value['choices']) ? messageText(value['choices']) : textOf(value, 0);
  if (text !== null) return plainText(text);
  const message = 'The provider answered the image with something that holds no text.';
  throw new HttpError('upstream_invalid_response', message);
}

/** Models that reason take neither `max_tokens` nor a temperature, and Claude not both of temperature and top_p. */
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
  // A picture without a word in it.
  if (content === null || content === undefined) return 'content' in message ? '' : null;
  if (!Array.isArray(content)) return null;
  return content
    .map((part) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

/** Other services' answers, each page of several apart. */
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
  return layoutText(parseJson(bare) ?? parseJson(closedLayout(bare))) ?? bare;
}

/** Takes off a fence around the whole; one that was cut off has no end. */
function withoutFence(text: string): string {
  const opening = /^(`{3,}|~{3,})[^\n`]*\n/.exec(text);
  if (opening === null) return text;
  const [line, fence = ''] = opening;
  const inner = text.slice(line.length);
  const end = inner.indexOf(`\n${fence}`);
  if (end < 0) return inner.startsWith(fence) ? inner.slice(fence.length).trim() : inner.trim();
  // With more text behind the fence it is a part of the document.
  return inner.slice(end + 1 + fence.length).trim() === '' ? inner.slice(0, end).trim() : text;
}

/** The texts of a layout in its order; null where the document's text only looks like JSON. */
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

/** A layout that was cut off for its length, up to its last whole item. */
function closedLayout(text: string): string {
  return `${text.slice(0, text.lastIndexOf('},') + 1)}]`;
}
