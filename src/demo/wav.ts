/** What the chunks of a WAV file say. */
export interface WavSummary {
  readonly durationSeconds: number;
  /** The comment (ICMT) of the INFO list; empty if there is none. */
  readonly comment: string;
}

const MAX_COMMENT_BYTES = 16_384;
const MAX_CHUNKS = 1000;

/**
 * Writes 16-bit mono samples as a WAV file (RIFF, PCM). The comment, in UTF-8, stands before the samples, where a
 * reader that stops at them has seen it.
 */
export function writeWav(samples: Int16Array, sampleRateHz: number, comment: string): Buffer {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0);
  format.writeUInt16LE(1, 2);
  format.writeUInt32LE(sampleRateHz, 4);
  format.writeUInt32LE(sampleRateHz * 2, 8);
  format.writeUInt16LE(2, 12);
  format.writeUInt16LE(16, 14);
  const text = Buffer.from(`${comment}\0`, 'utf8').subarray(0, MAX_COMMENT_BYTES);
  const body = Buffer.concat([
    Buffer.from('WAVE', 'latin1'),
    chunk('fmt ', format),
    chunk('LIST', Buffer.concat([Buffer.from('INFO', 'latin1'), chunk('ICMT', text)])),
    chunk('data', toPcm(samples)),
  ]);
  return chunk('RIFF', body);
}

/** The bytes of 16-bit samples, little-endian: OpenAI's `pcm` format. */
export function toPcm(samples: Int16Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, index) => {
    bytes.writeInt16LE(sample, index * 2);
  });
  return bytes;
}

/** Reads duration and comment of a WAV file; null for anything else. A chunk ends with the file at the latest. */
export function readWav(bytes: Buffer): WavSummary | null {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') return null;
  let bytesPerSecond = 0;
  let dataBytes = 0;
  let comment = '';
  let at = 12;
  for (let chunks = 0; at + 8 <= bytes.length && chunks < MAX_CHUNKS; chunks += 1) {
    const type = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const data = bytes.subarray(at + 8, Math.min(at + 8 + length, bytes.length));
    if (type === 'fmt ' && data.length >= 12) bytesPerSecond = data.readUInt32LE(8);
    if (type === 'data') dataBytes += data.length;
    if (type === 'LIST' && comment === '') comment = readComment(data);
    at += 8 + length + (length % 2);
  }
  return { durationSeconds: bytesPerSecond > 0 ? dataBytes / bytesPerSecond : 0, comment };
}

function readComment(list: Buffer): string {
  const at = list.indexOf('ICMT', 4, 'latin1');
  if (list.toString('latin1', 0, 4) !== 'INFO' || at < 0 || at + 8 > list.length) return '';
  const length = Math.min(list.readUInt32LE(at + 4), MAX_COMMENT_BYTES);
  return list.toString('utf8', at + 8, at + 8 + length).replace(/\0.*$/s, '');
}

/** A RIFF chunk; a pad byte, not counted in the length, follows data of odd length. */
function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 0, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
