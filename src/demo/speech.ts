import type { DemoAnswer, DemoCall } from './call.ts';
import { invalidValue, oneOf, requiredString } from './fields.ts';
import { toPcm, writeWav } from './wav.ts';

const SAMPLE_RATE_HZ = 24_000;
const MAX_INPUT_LENGTH = 4096;
const MIN_SECONDS = 0.3;
const MAX_SECONDS = 60;
const SECONDS_PER_CHARACTER = 0.06;
const PITCH_HZ = 330;
const BEATS_PER_SECOND = 3;
const LOUDNESS = 8000;

const CONTENT_TYPES = {
  mp3: 'audio/mpeg',
  opus: 'audio/ogg',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
} as const;

/**
 * POST /v1/audio/speech (OpenAI API reference, Audio): a humming tone, longer for longer texts. The bytes are a WAV
 * file whatever format is asked for, except `pcm`: players go by content, and the demo has no codecs. The file carries
 * the text as a comment, where the demo provider's own transcription finds it again.
 */
export function speech(call: DemoCall): DemoAnswer {
  const { body } = call;
  const input = requiredString(body, 'input');
  if (input === '' || input.length > MAX_INPUT_LENGTH) {
    throw invalidValue('input', `1 to ${MAX_INPUT_LENGTH} characters`);
  }
  requiredString(body, 'voice');
  const speed = body['speed'] ?? 1;
  if (typeof speed !== 'number' || speed < 0.25 || speed > 4) {
    throw invalidValue('speed', 'a number from 0.25 to 4');
  }
  const format = oneOf(body, 'response_format', ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']);
  oneOf(body, 'stream_format', ['audio']);
  const seconds = Math.min(
    Math.max((input.length * SECONDS_PER_CHARACTER) / speed, MIN_SECONDS),
    MAX_SECONDS,
  );
  const samples = hum(Math.round(seconds * SAMPLE_RATE_HZ));
  const bytes = format === 'pcm' ? toPcm(samples) : writeWav(samples, SAMPLE_RATE_HZ, input);
  return { contentType: CONTENT_TYPES[format], body: bytes };
}

/** Makes 16-bit samples of a tone that swells with each beat. */
function hum(length: number): Int16Array {
  return Int16Array.from({ length }, (_, at) => {
    const angle = (Math.PI * at) / SAMPLE_RATE_HZ;
    return LOUDNESS * Math.sin(BEATS_PER_SECOND * angle) * Math.sin(2 * PITCH_HZ * angle);
  });
}
