import { Base64Encoder } from './base64-encoder.ts';

/** What the body for a Chutes speech chute holds besides the audio. */
export interface ChutesExtras {
  /** The published handler translates into this language (chutesai/chutes, examples/whisper_stt.py). */
  readonly language?: string;
}

const OPENING = Buffer.from('{"audio_b64":"');

/**
 * Yields `{"audio_b64":"...","language":"en"}` while the audio arrives. `extras` is called when the audio has ended.
 */
export async function* chutesTranscribeBody(
  audio: AsyncIterable<Buffer>,
  extras: () => ChutesExtras,
): AsyncGenerator<Buffer> {
  yield OPENING;
  const encoder = new Base64Encoder();
  for await (const chunk of audio) yield* encoder.encode(chunk);
  yield* encoder.end();
  yield closing(extras());
}

function closing({ language }: ChutesExtras): Buffer {
  return Buffer.from(language === undefined ? '"}' : `","language":${JSON.stringify(language)}}`);
}
