import { HttpError } from '../../errors.ts';
import { isRecord } from '../../json/value.ts';
import type { Part } from '../chat-parts.ts';
import { nothingStored } from './nothing-stored.ts';

/** The parts of a message: a text, or a list. A part of an unknown type is left out. @throws HttpError for a part that cannot be sent. */
export function readParts(content: unknown): Part[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part) => (isRecord(part) ? (readPart(part) ?? []) : []));
}

/** The text of a message or of a list of texts; '' if there is none. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part) => (isRecord(part) ? (partText(part) ?? []) : [])).join('\n');
}

/** The output of a tool: its text, and its pictures and files. */
export function splitOutput(output: unknown): { readonly text: string; readonly media: readonly Part[] } {
  if (typeof output === 'string') return { text: output, media: [] };
  if (output === undefined || output === null) return { text: '', media: [] };
  if (!Array.isArray(output)) return { text: JSON.stringify(output), media: [] };
  const texts: string[] = [];
  const media: Part[] = [];
  for (const part of readParts(output)) {
    if (part.kind === 'text') texts.push(part.text);
    else media.push(part);
  }
  const text = texts.join('\n');
  const [first] = media;
  if (text !== '' || first === undefined) return { text, media };
  return { text: first.kind === 'image' ? '[image]' : '[file]', media };
}

function partText({
  type,
  text,
  refusal,
  encrypted_content: encrypted,
}: Record<string, unknown>): string | null {
  if (type === 'refusal') return typeof refusal === 'string' ? refusal : null;
  // Messages between agents hold plain text under this name.
  if (type === 'encrypted_content') return typeof encrypted === 'string' ? encrypted : null;
  return typeof text === 'string' ? text : null;
}

function readPart(part: Record<string, unknown>): Part | null {
  switch (part['type']) {
    case 'input_image':
      return readImage(part);
    case 'input_file':
      return readFile(part);
    case 'input_audio':
      return readAudio(part['input_audio']);
    default: {
      const text = partText(part);
      return text === null ? null : { kind: 'text', text };
    }
  }
}

function readImage({ image_url: image, detail, file_id: fileId }: Record<string, unknown>): Part | null {
  const url = isRecord(image) ? image['url'] : image;
  if (typeof url === 'string') {
    // Chat has no `original`.
    const asked = detail === 'original' ? 'high' : detail;
    return typeof asked === 'string' ? { kind: 'image', url, detail: asked } : { kind: 'image', url };
  }
  if (fileId !== undefined && fileId !== null) throw nothingStored('Images with a `file_id`');
  return null;
}

function readFile(part: Record<string, unknown>): Part | null {
  const { file_data: data, filename, file_url: url, file_id: fileId } = part;
  if (typeof data === 'string') {
    const name = typeof filename === 'string' ? filename : 'file.pdf';
    return {
      kind: 'file',
      name,
      url: data.startsWith('data:') ? data : `data:application/pdf;base64,${data}`,
    };
  }
  if (fileId !== undefined && fileId !== null) throw nothingStored('Files with a `file_id`');
  if (url === undefined || url === null) return null;
  const message = 'Files with a `file_url` cannot be used with this model. Send `file_data`.';
  throw new HttpError('unsupported_parameter', message, { param: 'input' });
}

function readAudio(audio: unknown): Part | null {
  if (!isRecord(audio)) return null;
  const { data, format } = audio;
  return typeof data === 'string' && typeof format === 'string' ? { kind: 'audio', data, format } : null;
}
