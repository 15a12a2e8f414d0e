import { createHash } from 'node:crypto';
import type { DemoAnswer, DemoCall } from './call.ts';
import { dataRecord, eventStream } from './call.ts';
import { invalidValue, oneOf, requiredString } from './fields.ts';
import { estimateTokens } from './tokens.ts';
import { toPcm, writeWav } from './wav.ts';

const SAMPLE_RATE_HZ = 24_000;
const MAX_INPUT_LENGTH = 4096;
const MAX_SECONDS = 60;
const SECONDS_PER_CHARACTER = 0.06;
const PIECE_BYTES = 16_384;
/** A pentatonic scale in hertz: any row of its notes sounds bearable. */
const SCALE_HZ = [262, 294, 330, 392, 440, 523, 587, 659];

const CONTENT_TYPES = {
  mp3: 'audio/mpeg',
  opus: 'audio/ogg',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
} as const;

/**
 * POST /v1/audio/speech (OpenAI API reference, Audio): a tone for each word, longer for longer words. The bytes
 * are a WAV file whatever format is asked for, `pcm` apart: players go by content, and a codec would be too
 * much. The file carries the text as a comment, so that the demo provider's own transcription finds it again.
 */
export function speech(call: DemoCall): DemoAnswer {
  const { body } = call;
  const input = requiredString(body, 'input');
  if (input === '' || input.length > MAX_INPUT_LENGTH) {
    throw invalidValue('input', `1 to ${MAX_INPUT_LENGTH} characters`);
  }
  const voice = requiredVoice(body['voice']);
  const speed = readSpeed(body['speed']);
  const format = oneOf(body, 'response_format', ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']);
  const samples = hum(input, voice, speed);
  const bytes = format === 'pcm' ? toPcm(samples) : writeWav(samples, SAMPLE_RATE_HZ, input);
  if (oneOf(body, 'stream_format', ['audio', 'sse']) === 'sse') return eventStream(events(bytes, input));
  return { kind: 'stream', pieces: inPieces(bytes), contentType: CONTENT_TYPES[format], isPaced: false };
}

function requiredVoice(voice: unknown): string {
  const name = typeof voice === 'object' && voice !== null && 'id' in voice ? voice.id : voice;
  return requiredString({ voice: name }, 'voice');
}

function readSpeed(speed: unknown): number {
  const value = speed ?? 1;
  if (typeof value === 'number' && value >= 0.25 && value <= 4) return value;
  throw invalidValue('speed', 'a number from 0.25 to 4');
}

/** Turns words into notes of 16-bit samples; the voice decides how high they lie. */
function hum(text: string, voice: string, speed: number): Int16Array {
  const seconds = Math.min(Math.max((text.length * SECONDS_PER_CHARACTER) / speed, 0.3), MAX_SECONDS);
  const samples = new Int16Array(Math.round(seconds * SAMPLE_RATE_HZ));
  const words = text.match(/\s*\S+\s*$|\s*\S+/g) ?? [text];
  const samplesPerCharacter = samples.length / text.length;
  const shift = firstByte(voice) % 3;
  let start = 0;
  for (const word of words) {
    const end = Math.min(start + Math.round(word.length * samplesPerCharacter), samples.length);
    const frequencyHz = SCALE_HZ[(firstByte(word.trim()) + shift) % SCALE_HZ.length] ?? 440;
    for (let at = start; at < end; at += 1) {
      const swell = Math.sin((Math.PI * (at - start)) / (end - start));
      samples[at] = Math.round(8000 * swell * Math.sin((2 * Math.PI * frequencyHz * at) / SAMPLE_RATE_HZ));
    }
    start = end;
  }
  return samples;
}

function firstByte(text: string): number {
  return createHash('sha256').update(text).digest()[0] ?? 0;
}

function* inPieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

function* events(bytes: Buffer, input: string): Generator<string> {
  for (const piece of inPieces(bytes)) {
    yield dataRecord({ type: 'speech.audio.delta', audio: piece.toString('base64') });
  }
  const inputTokens = estimateTokens(input);
  const outputTokens = Math.ceil(bytes.length / 2400);
  const usage = {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
  yield dataRecord({ type: 'speech.audio.done', usage });
}
