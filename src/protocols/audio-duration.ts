/** What compressed speech needs: 128 kbit/s, as most MP3 files have. */
const BYTES_PER_SECOND = 16_000;
const WAV_HEAD_BYTES = 44;
const FLAC_HEAD_BYTES = 26;
/** What tags and a cover may take. */
const FLAC_HEAD_LIMIT_BYTES = 1024 * 1024;

/**
 * The length of an audio file in seconds: from its header, where that tells it (WAV, FLAC), else from its size.
 * @param head the file's first bytes
 * @param bytes the size of the whole file
 */
export function audioSeconds(head: Buffer, bytes: number): number {
  return wavSeconds(head, bytes) ?? flacSeconds(head, bytes) ?? bytes / BYTES_PER_SECOND;
}

/**
 * RIFF: the first chunk of most files is `fmt `, with the bytes of a second 16 bytes behind its name. Players go by the rate and
 * size of the samples in front of and behind it, so a larger number is wrong.
 */
function wavSeconds(head: Buffer, bytes: number): number | null {
  if (head.length < WAV_HEAD_BYTES || head.toString('latin1', 0, 4) !== 'RIFF') return null;
  if (head.toString('latin1', 8, 16) !== 'WAVEfmt ') return null;
  const perSecond = Math.min(head.readUInt32LE(28), head.readUInt32LE(24) * head.readUInt16LE(32));
  return perSecond === 0 ? null : Math.max(0, bytes - WAV_HEAD_BYTES) / perSecond;
}

/**
 * RFC 9639 section 8.2: STREAMINFO comes first, with 20 bits of sample rate, 3 of channels - 1, 5 of bits per sample - 1 and 36
 * of the number of samples. A file is not larger than its samples: a smaller number is wrong.
 */
function flacSeconds(head: Buffer, bytes: number): number | null {
  if (head.length < FLAC_HEAD_BYTES || head.toString('latin1', 0, 4) !== 'fLaC') return null;
  const rate = head.readUIntBE(18, 3) >> 4;
  const samples = (head.readUInt8(21) & 15) * 2 ** 32 + head.readUInt32BE(22);
  const format = head.readUInt16BE(20);
  const sampleBits = (((format >> 9) & 7) + 1) * (((format >> 4) & 31) + 1);
  if (rate === 0 || samples === 0) return null;
  return Math.max(samples, ((bytes - FLAC_HEAD_LIMIT_BYTES) * 8) / sampleBits) / rate;
}
