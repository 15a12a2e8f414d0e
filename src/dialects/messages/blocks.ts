import { HttpError } from '../../errors.ts';
import { isRecord } from '../../json/value.ts';
import type { Steps } from '../../turns.ts';
import type { HistoryCall, Part } from '../chat-parts.ts';
import type { Conversation, ToolResult } from '../conversation.ts';
import type { ToolSet } from './tools.ts';

type JsonObject = Readonly<Record<string, unknown>>;

interface Reading {
  readonly conversation: Conversation;
  readonly tools: ToolSet;
}

/** A line that changes with every request and would make the provider's prompt cache useless. */
const BILLING_LINE = 'x-anthropic-billing-header:';

/** Reads a system prompt, or with `tools` a system turn, which may also change the list of tools. */
export function* readSystem(
  content: unknown,
  conversation: Conversation,
  tools: ToolSet | null = null,
): Steps<void> {
  for (const block of blocksOf(content)) {
    yield;
    const text = textOf(block['text']);
    if (block['type'] === 'text' && !text.startsWith(BILLING_LINE)) conversation.system(text);
    else if (block['type'] === 'tool_addition') tools?.add(block['tool']);
    else if (block['type'] === 'tool_removal') tools?.remove(block['tool']);
  }
}

/** Reads a turn of the user. */
export function* readUser(content: unknown, { conversation, tools }: Reading): Steps<void> {
  const results: ToolResult[] = [];
  const parts: Part[] = [];
  for (const block of blocksOf(content)) {
    yield;
    if (block['type'] === 'tool_result') results.push(readResult(block, tools));
    else parts.push(...partsOf(block, tools));
  }
  conversation.user(results, parts);
}

/** Reads a turn of the model. What other providers' servers ran is left out. */
export function* readAssistant(content: unknown, { conversation, tools }: Reading): Steps<void> {
  const texts: string[] = [];
  const calls: HistoryCall[] = [];
  let reasoning = '';
  for (const block of blocksOf(content)) {
    yield;
    switch (block['type']) {
      case 'text':
        texts.push(textOf(block['text']));
        break;
      case 'thinking':
        reasoning += textOf(block['thinking']);
        break;
      case 'tool_use':
        calls.push({
          id: textOf(block['id']),
          name: tools.sentName(textOf(block['name'])),
          arguments: JSON.stringify(block['input'] ?? {}),
        });
        break;
      case 'compaction':
        texts.push(textOf(block['content']));
    }
  }
  conversation.assistant({ text: texts.join(''), reasoning, calls });
}

function readResult(block: JsonObject, tools: ToolSet): ToolResult {
  const texts: string[] = [];
  const media: Part[] = [];
  for (const inner of blocksOf(block['content'])) {
    for (const part of partsOf(inner, tools)) {
      texts.push(resultText(part));
      if (part.kind !== 'text') media.push(part);
    }
  }
  const text = texts.join('\n');
  const isMarked = block['is_error'] === true && !/^\W*error/i.test(text);
  return { callId: textOf(block['tool_use_id']), text: isMarked ? `Error: ${text}` : text, media };
}

/** What stands for a part in a tool message, which holds text alone: its pictures follow in a message of the user. */
function resultText(part: Part): string {
  if (part.kind === 'text') return part.text;
  return part.kind === 'image' ? '[image]' : '[document]';
}

/** The parts of a block of the user or of a result. Unknown blocks are left out. */
function partsOf(block: JsonObject, tools: ToolSet): Part[] {
  switch (block['type']) {
    case 'text':
      return [{ kind: 'text', text: textOf(block['text']) }];
    case 'image':
      return [imageOf(block['source'])];
    case 'document':
      return documentOf(block, tools);
    case 'search_result': {
      const texts = blocksOf(block['content']).map((part) => textOf(part['text']));
      return [textPart([block['title'], block['source'], ...texts])];
    }
    case 'tool_reference': {
      const name = textOf(block['tool_name']);
      tools.enable(name);
      return [{ kind: 'text', text: `Tool ${name} is now available` }];
    }
    default:
      return [];
  }
}

function imageOf(source: unknown): Part {
  if (isRecord(source)) {
    const { type, url, data, media_type: mediaType } = source;
    if (type === 'file') throw noFiles();
    if (type === 'url' && typeof url === 'string') return { kind: 'image', url };
    if (typeof data === 'string') return { kind: 'image', url: `data:${textOf(mediaType)};base64,${data}` };
  }
  return { kind: 'text', text: '[image]' };
}

function documentOf({ source, title, context }: JsonObject, tools: ToolSet): Part[] {
  if (!isRecord(source)) return [];
  const { type, data, url, content } = source;
  const head = [title, context].filter((text) => textOf(text) !== '');
  switch (type) {
    case 'file':
      throw noFiles();
    case 'text':
      return [textPart([...head, data])];
    case 'content':
      return [textPart(head), ...blocksOf(content).flatMap((block) => partsOf(block, tools))];
    case 'url':
      return [textPart([...head, `[Document at ${textOf(url)}]`])];
    case 'base64': {
      const name = textOf(title) === '' ? 'document.pdf' : textOf(title);
      const file = `data:${textOf(source['media_type']) || 'application/pdf'};base64,${textOf(data)}`;
      const about = textOf(context) === '' ? [] : [textPart([context])];
      return [...about, { kind: 'file', name, url: file }];
    }
    default:
      return [textPart(head)];
  }
}

function textPart(texts: readonly unknown[]): Part {
  return { kind: 'text', text: texts.filter((text) => textOf(text) !== '').join('\n') };
}

/** The blocks of a content, of which a lone text may be given as a string. */
function blocksOf(content: unknown): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content.filter(isRecord) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function noFiles(): HttpError {
  const message = 'messages: Files are not stored here. Send the data itself, as base64.';
  return new HttpError('unsupported_parameter', message, { param: 'messages' });
}
