import { isRecord } from '../json/value.ts';
import { type Attachment, describeAudio, describeImageUrl } from './attachments.ts';
import type { JsonObject } from './fields.ts';

/** What the demo provider understands of a conversation. */
export interface Conversation {
  /** The instructions: system and developer messages, joined. */
  readonly system: string;
  /** The text of the last user message. */
  readonly text: string;
  /** What the last user message carries besides text. */
  readonly attachments: readonly Attachment[];
  /** What a tool answered after the last user message, if one did. */
  readonly toolResult: string | null;
  /** An estimate for the whole conversation. */
  readonly promptTokens: number;
}

const IMAGE_TOKENS = 85;

/**
 * Reads chat messages or the input items of the Responses API. What is not understood is skipped, since a
 * model would not refuse it either.
 */
export function readConversation(items: readonly unknown[], instructions = ''): Conversation {
  const system = instructions === '' ? [] : [instructions];
  let user: { text: string; attachments: Attachment[] } = { text: '', attachments: [] };
  let toolResult: string | null = null;
  let characters = instructions.length;
  let images = 0;
  for (const item of items) {
    if (!isRecord(item)) continue;
    const isToolResult = item['role'] === 'tool' || item['type'] === 'function_call_output';
    const content = readContent(isToolResult ? (item['content'] ?? item['output']) : item['content']);
    characters += content.text.length;
    images += content.attachments.length;
    if (isToolResult) {
      toolResult = content.text;
    } else if (item['role'] === 'system' || item['role'] === 'developer') {
      system.push(content.text);
    } else if (item['role'] === 'user') {
      user = content;
      toolResult = null;
    }
  }
  const promptTokens = Math.ceil(characters / 4) + images * IMAGE_TOKENS + 3 * items.length;
  return { system: system.join('\n'), ...user, toolResult, promptTokens };
}

function readContent(content: unknown): { text: string; attachments: Attachment[] } {
  if (typeof content === 'string') return { text: content, attachments: [] };
  const texts: string[] = [];
  const attachments: Attachment[] = [];
  for (const part of Array.isArray(content) ? content : []) {
    if (typeof part === 'string') texts.push(part);
    if (!isRecord(part)) continue;
    if (typeof part['text'] === 'string') texts.push(part['text']);
    const attachment = readAttachment(part);
    if (attachment !== null) attachments.push(attachment);
  }
  return { text: texts.join('\n'), attachments };
}

function readAttachment(part: JsonObject): Attachment | null {
  switch (part['type']) {
    case 'image_url':
    case 'input_image':
    case 'image': {
      const image = part['image_url'] ?? part['image'];
      const url = isRecord(image) ? image['url'] : image;
      return describeImageUrl(typeof url === 'string' ? url : '');
    }
    case 'input_audio': {
      const audio = isRecord(part['input_audio']) ? part['input_audio'] : {};
      return describeAudio(typeof audio['data'] === 'string' ? audio['data'] : '');
    }
    case 'file':
    case 'input_file': {
      const file = isRecord(part['file']) ? part['file'] : part;
      const name = typeof file['filename'] === 'string' ? file['filename'] : 'without a name';
      return { kind: 'file', line: `a file (${name.slice(0, 100)}), which I do not open`, text: '' };
    }
    default:
      return null;
  }
}
