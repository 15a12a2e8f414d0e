import { inflateSync } from 'node:zlib';

const MAX_CHUNKS = 1000;
const MAX_TEXTS = 20;
const MAX_TEXT_BYTES = 4096;

/**
 * Reads the texts that a PNG carries in its tEXt, zTXt and iTXt chunks, in their order, without the keywords
 * (PNG third edition, 11.3.3). At most 20 texts of 4 KiB; what is damaged is left out.
 */
export function readPngTexts(bytes: Buffer): string[] {
  const texts: string[] = [];
  let at = 8;
  for (
    let chunks = 0;
    at + 12 <= bytes.length && chunks < MAX_CHUNKS && texts.length < MAX_TEXTS;
    chunks += 1
  ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const text = readText(type, bytes.subarray(at + 8, Math.min(at + 8 + length, bytes.length)));
    if (text !== '') texts.push(text);
    at += 12 + length;
  }
  return texts;
}

function readText(type: string, data: Buffer): string {
  const keywordEnd = data.indexOf(0);
  if (keywordEnd < 0) return '';
  switch (type) {
    case 'tEXt':
      return data.toString('latin1', keywordEnd + 1, keywordEnd + 1 + MAX_TEXT_BYTES);
    case 'zTXt':
      return inflate(data.subarray(keywordEnd + 2)).toString('latin1');
    case 'iTXt': {
      const isCompressed = data[keywordEnd + 1] === 1;
      const languageEnd = data.indexOf(0, keywordEnd + 3);
      const translatedEnd = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1);
      if (translatedEnd < 0) return '';
      const value = data.subarray(translatedEnd + 1);
      return (isCompressed ? inflate(value) : value.subarray(0, MAX_TEXT_BYTES)).toString('utf8');
    }
    default:
      return '';
  }
}

function inflate(data: Buffer): Buffer {
  try {
    return inflateSync(data, { maxOutputLength: MAX_TEXT_BYTES });
  } catch {
    return Buffer.alloc(0);
  }
}
