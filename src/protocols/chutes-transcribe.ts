/** What stands beside the audio in the body for a Chutes speech chute. */
export interface ChutesExtras {
  /** The published handler takes it as an order to translate (chutesai/chutes, examples/whisper_stt.py). */
  readonly language?: string;
}

/** 48 KiB, which base64 makes 64 KiB of. */
const SLICE_BYTES = 49_152;
const OPENING = Buffer.from('{"audio_b64":"');

/**
 * Writes `{"audio_b64":"...","language":"en"}` as the audio arrives, encoded in multiples of three bytes, so that no more
 * than a slice of it is ever held in both forms. `extras` is asked when the audio has ended.
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
