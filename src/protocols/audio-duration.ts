/** What compressed speech needs: 128 kbit/s, as most MP3 files have. */
const BYTES_PER_SECOND = 16_000;
const WAV_HEAD_BYTES = 44;
const FLAC_HEAD_BYTES = 26;

/**
 * The length of an audio file in seconds: from its header, where that tells it (WAV, FLAC), else from its size.
 * @param head the file's first bytes
 * @param bytes the size of the whole file
 */
export function audioSeconds(head: Buffer, bytes: number): number {
  return wavSeconds(head, bytes) ?? flacSeconds(head) ?? bytes / BYTES_PER_SECOND;
}

/** RIFF: the first chunk of most files is `fmt `, with the bytes of a second 16 bytes behind its name. */
function wavSeconds(head: Buffer, bytes: number): number | null {
  if (head.length < WAV_HEAD_BYTES || head.toString('latin1', 0, 4) !== 'RIFF') return null;
  if (head.toString('latin1', 8, 16) !== 'WAVEfmt ') return null;
  const perSecond = head.readUInt32LE(28);
  return perSecond === 0 ? null : Math.max(0, bytes - WAV_HEAD_BYTES) / perSecond;
}

/** RFC 9639 section 8.2: STREAMINFO comes first, with 20 bits of sample rate and 36 bits of the number of samples. */
function flacSeconds(head: Buffer): number | null {
  if (head.length < FLAC_HEAD_BYTES || head.toString('latin1', 0, 4) !== 'fLaC') return null;
  const rate = head.readUIntBE(18, 3) >> 4;
  const samples = (head.readUInt8(21) & 15) * 2 ** 32 + head.readUInt32BE(22);
  return rate === 0 || samples === 0 ? null : samples / rate;
}
