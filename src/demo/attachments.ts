import { shortSha256 } from './call.ts';
import { type ImageFacts, readImage } from './image-facts.ts';
import { readPngTexts } from './png-texts.ts';
import { readWav } from './wav.ts';

/** Something that came with a message. */
export interface Attachment {
  readonly kind: 'image' | 'audio' | 'file';
  /** What it is, as part of a sentence. */
  readonly line: string;
  /** The text "seen" in an image; empty for everything else. */
  readonly text: string;
}

/** Describes an image by its URL: a data URL is opened, any other is named and never fetched. */
export function describeImageUrl(url: string): Attachment {
  const bytes = decodeDataUrl(url);
  if (bytes === null) {
    const host = /^https?:\/\/([^/?#]{1,100})/i.exec(url)?.[1] ?? 'an unknown place';
    const line = `an image at ${host}, which I do not fetch`;
    return { kind: 'image', line, text: `(image at ${host}: the demo provider does not fetch URLs)` };
  }
  return describeImage(bytes);
}

/** Describes an image by its bytes: type, size in pixels, size in bytes, and the text it carries. */
export function describeImage(bytes: Buffer): Attachment {
  const facts = readImage(bytes);
  const line = `${facts === null ? 'an image of a type I do not know' : factsLine(facts)}, ${count(bytes.length, 'byte')}`;
  const texts = facts?.type === 'PNG' ? readPngTexts(bytes) : [];
  const found = `${line.replace(/^an? /, '')}, SHA-256 ${shortSha256(bytes, 8)}`;
  return { kind: 'image', line, text: texts.length > 0 ? texts.join('\n') : found };
}

/** Describes audio given as base64, as chat's `input_audio` parts carry it. */
export function describeAudio(base64: string): Attachment {
  const bytes = Buffer.from(base64, 'base64');
  const wav = readWav(bytes);
  const length = wav === null ? '' : ` of ${wav.durationSeconds.toFixed(1)} seconds`;
  return { kind: 'audio', line: `an audio clip${length}, ${count(bytes.length, 'byte')}`, text: '' };
}

/** Writes a number with its noun: `1 byte`, `1,234 bytes`. */
export function count(amount: number, noun: string): string {
  return `${amount.toLocaleString('en-US')} ${noun}${amount === 1 ? '' : 's'}`;
}

/** Decodes a base64 data URL (RFC 2397); null for every other URL. */
export function decodeDataUrl(url: string): Buffer | null {
  const comma = url.indexOf(',');
  const head = url.slice(0, Math.max(0, Math.min(comma, 500)));
  return /^data:.*;base64$/i.test(head) ? Buffer.from(url.slice(comma + 1), 'base64') : null;
}

function factsLine(facts: ImageFacts): string {
  return `a ${facts.type} image, ${facts.width} × ${facts.height} pixels`;
}
