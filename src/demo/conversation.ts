import { isRecord } from '../json/value.ts';
import { describeImageUrl } from './describe-image.ts';
import type { JsonObject } from './fields.ts';

/** What the demo provider understands of a conversation. */
export interface Conversation {
  /** The instructions: system and developer messages, joined. */
  readonly system: string;
  /** The text of the last user message. */
  readonly text: string;
  /** What came with the last user message besides text, each described as part of a sentence. */
  readonly attachments: readonly string[];
  /** The answer of a tool after the last user message; null if there is none. */
  readonly toolResult: string | null;
  /** An estimate for the whole conversation. */
  readonly promptTokens: number;
}

interface Content {
  readonly text: string;
  readonly attachments: readonly string[];
}

const ATTACHMENT_TOKENS = 85;

/**
 * Reads chat messages or the input items of the Responses API. Unknown items and parts are skipped, since a
 * model would not refuse them either.
 */
export function readConversation(items: readonly unknown[], instructions = ''): Conversation {
  const system = instructions === '' ? [] : [instructions];
  let user: Content = { text: '', attachments: [] };
  let toolResult: string | null = null;
  let characters = instructions.length;
  let attachments = 0;
  for (const item of items) {
    if (!isRecord(item)) continue;
    const isToolResult = item['role'] === 'tool' || item['type'] === 'function_call_output';
    const content = readContent(isToolResult ? (item['content'] ?? item['output']) : item['content']);
    characters += content.text.length;
    attachments += content.attachments.length;
    if (isToolResult) {
      toolResult = content.text;
    } else if (item['role'] === 'system' || item['role'] === 'developer') {
      system.push(content.text);
    } else if (item['role'] === 'user') {
      user = content;
      toolResult = null;
    }
  }
  const promptTokens = Math.ceil(characters / 4) + attachments * ATTACHMENT_TOKENS + 3 * items.length;
  return { system: system.join('\n'), ...user, toolResult, promptTokens };
}

function readContent(content: unknown): Content {
  if (typeof content === 'string') return { text: content, attachments: [] };
  const texts: string[] = [];
  const attachments: string[] = [];
  for (const part of Array.isArray(content) ? content : []) {
    if (typeof part === 'string') texts.push(part);
    if (!isRecord(part)) continue;
    if (typeof part['text'] === 'string') texts.push(part['text']);
    const attachment = describePart(part);
    if (attachment !== null) attachments.push(attachment);
  }
  return { text: texts.join('\n'), attachments };
}

function describePart(part: JsonObject): string | null {
  switch (part['type']) {
    case 'image_url':
    case 'input_image': {
      const image = part['image_url'];
      const url = isRecord(image) ? image['url'] : image;
      return describeImageUrl(typeof url === 'string' ? url : '');
    }
    case 'input_audio':
    case 'file':
    case 'input_file':
      return 'a file, which I do not open';
    default:
      return null;
  }
}
