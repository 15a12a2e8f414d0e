/** What the body for a Chutes speech chute holds besides the audio. */
export interface ChutesExtras {
  /** The published handler translates into this language (chutesai/chutes, examples/whisper_stt.py). */
  readonly language?: string;
}

/** 48 KiB, which is 64 KiB in base64. */
const SLICE_BYTES = 49_152;
const OPENING = Buffer.from('{"audio_b64":"');

/**
 * Yields `{"audio_b64":"...","language":"en"}` while the audio arrives. The audio is encoded slice by slice, in multiples of
 * three bytes, so only one slice is held in both forms. `extras` is called when the audio has ended.
 */
export async function* chutesTranscribeBody(
  audio: AsyncIterable<Buffer>,
  extras: () => ChutesExtras,
): AsyncGenerator<Buffer> {
  yield OPENING;
  let carry: Buffer = Buffer.alloc(0);
  for await (const chunk of audio) {
    let at = 0;
    if (carry.length > 0) {
      at = Math.min(3 - carry.length, chunk.length);
      carry = Buffer.concat([carry, chunk.subarray(0, at)]);
      if (carry.length < 3) continue;
      yield toBase64(carry);
    }
    const end = chunk.length - ((chunk.length - at) % 3);
    for (; at < end; at += SLICE_BYTES) yield toBase64(chunk.subarray(at, Math.min(at + SLICE_BYTES, end)));
    carry = Buffer.from(chunk.subarray(end));
  }
  if (carry.length > 0) yield toBase64(carry);
  yield closing(extras());
}

function toBase64(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64'), 'latin1');
}

function closing({ language }: ChutesExtras): Buffer {
  return Buffer.from(language === undefined ? '"}' : `","language":${JSON.stringify(language)}}`);
}
