/** The parts of messages, before it is known what the target's model takes. */
import type { ModelTraits } from './model-traits.ts';

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly url: string; readonly detail?: string }
  /** A PDF as a data URL. */
  | { readonly kind: 'file'; readonly name: string; readonly url: string }
  | { readonly kind: 'audio'; readonly data: string; readonly format: string };

/** A tool call in the history. `arguments` is JSON. */
export interface HistoryCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** The content of a user message: a lone text as a string, else a list of parts; null if nothing is left. */
export function toChatContent(parts: readonly Part[], traits: ModelTraits): string | object[] | null {
  const kept = parts.filter((part) => part.kind !== 'text' || part.text.trim() !== '');
  const [first] = kept;
  if (first === undefined) return null;
  if (kept.length === 1 && first.kind === 'text') return first.text;
  return kept.map((part) => toChatPart(part, traits));
}

function toChatPart(part: Part, { pdf }: ModelTraits): object {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image': {
      const { url, detail } = part;
      return { type: 'image_url', image_url: detail === undefined ? { url } : { url, detail } };
    }
    case 'file':
      return pdf
        ? { type: 'file', file: { filename: part.name, file_data: part.url } }
        : {
            type: 'text',
            text: `[The document ${part.name} is not shown: this model does not read PDF files.]`,
          };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
  }
}
