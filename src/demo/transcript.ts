import { shortSha256 } from './call.ts';
import { readWav } from './wav.ts';

/** A stretch of speech; times in seconds from the start. */
export interface TranscriptSpan {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What the demo provider "heard". */
export interface Transcript {
  readonly text: string;
  readonly durationSeconds: number;
  readonly segments: readonly TranscriptSpan[];
  readonly words: readonly TranscriptSpan[];
}

/** The rate at which a file of unknown format is taken to play, for at least a second: 128 kbit/s. */
const ASSUMED_BYTES_PER_SECOND = 16_000;

/**
 * "Transcribes" audio: the text that the demo provider's own speech carries, else a description of what was
 * received (length, size, short SHA-256), so that a test can tell whether its bytes arrived.
 */
export function transcribe(audio: Buffer): Transcript {
  const wav = readWav(audio);
  const durationSeconds = round(wav?.durationSeconds ?? Math.max(1, audio.length / ASSUMED_BYTES_PER_SECOND));
  const text = wav?.comment.trim() || describe(audio, wav === null ? null : durationSeconds);
  const sentences = text.match(/\S(?:.{0,200}?[.!?](?=\s|$)|.{0,200}(?=\s|$)|.{0,200})/gs) ?? [text];
  const segments = spread(sentences, 0, durationSeconds);
  const words = segments.flatMap((segment) => spread(segment.text.split(/\s+/), segment.start, segment.end));
  return { text, durationSeconds, segments, words };
}

function describe(audio: Buffer, wavSeconds: number | null): string {
  const kind =
    wavSeconds === null
      ? 'The demo provider heard a file'
      : `The demo provider heard ${wavSeconds.toFixed(2)} seconds of WAV audio`;
  return `${kind}. It has ${audio.length} bytes. Its SHA-256 begins with ${shortSha256(audio, 8)}.`;
}

/** Gives each text its share of a stretch of time, by its length. */
function spread(texts: readonly string[], start: number, end: number): TranscriptSpan[] {
  const total = texts.reduce((sum, text) => sum + text.length, 0) || 1;
  let done = 0;
  return texts.map((text) => {
    const from = start + ((end - start) * done) / total;
    done += text.length;
    return { start: round(from), end: round(start + ((end - start) * done) / total), text };
  });
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
