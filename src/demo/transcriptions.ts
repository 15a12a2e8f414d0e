import { renderTranscript, requireSegmentFormat, type Transcript } from '../protocols/transcription.ts';
import { type DemoAnswer, type DemoCall, dataRecord, eventStream, json, shortSha256 } from './call.ts';
import { invalidValue, missingParameter, oneOf, optionalBoolean, optionalString } from './fields.ts';
import { readWav } from './wav.ts';
import { count, toPieces } from './words.ts';

/** A file of unknown format is taken to play at this rate, for a second at least: 128 kbit/s. */
const ASSUMED_BYTES_PER_SECOND = 16_000;

/**
 * POST /v1/audio/transcriptions (OpenAI API reference, Audio). `demo-whisper` knows five formats and ignores
 * `stream`, as whisper-1 does; `demo-transcribe` answers in JSON only and streams, as gpt-4o-transcribe does.
 */
export function transcription(call: DemoCall): DemoAnswer {
  const language = optionalString(call.body, 'language') ?? 'en';
  if (call.model !== 'demo-transcribe') return rendered(call, { task: 'transcribe', language });
  oneOf(call.body, 'response_format', ['json']);
  const isStreamed = optionalBoolean(call.body, 'stream');
  const { text } = transcribe(requiredAudio(call));
  return isStreamed ? eventStream(events(text)) : json({ text, usage: tokenUsage(text) });
}

/** POST /v1/audio/translations: the same text, said to be English. */
export function translation(call: DemoCall): DemoAnswer {
  return rendered(call, { task: 'translate', language: 'en' });
}

function rendered(
  call: DemoCall,
  options: { readonly task: 'transcribe' | 'translate'; readonly language: string },
): DemoAnswer {
  const transcript = transcribe(requiredAudio(call));
  const granularities = new Set([call.body['timestamp_granularities'] ?? []].flat().map(String));
  const responseFormat = optionalString(call.body, 'response_format') ?? 'json';
  const format = requireSegmentFormat({ responseFormat, granularities });
  if (format === 'json') {
    const usage = { type: 'duration', seconds: Math.ceil(transcript.duration) };
    return json({ text: transcript.text, usage });
  }
  return renderTranscript(transcript, format, options);
}

function requiredAudio(call: DemoCall): Buffer {
  if (call.file === null) throw missingParameter('file');
  if (call.file.length === 0) throw invalidValue('file', 'a file that is not empty');
  return call.file;
}

/**
 * "Transcribes" audio: the text that the demo provider's own speech carries, else a description of the bytes, which
 * shows whether they arrived. Times are in seconds.
 */
export function transcribe(audio: Buffer): Transcript & { readonly duration: number } {
  const wav = readWav(audio);
  const duration = round(wav?.durationSeconds ?? Math.max(1, audio.length / ASSUMED_BYTES_PER_SECOND));
  const what = wav === null ? 'a file' : `${duration.toFixed(2)} seconds of WAV audio`;
  const description = `The demo provider heard ${what}. It has ${count(audio.length, 'byte')}. Its SHA-256 begins with ${shortSha256(audio, 8)}.`;
  const text = wav?.comment.trim() || description;
  return { text, duration, segments: segmentsOf(text, duration), language: null };
}

/** Splits a text into sentences, each with a share of the time by its length. */
function segmentsOf(text: string, duration: number): { start: number; end: number; text: string }[] {
  const sentences = text.match(/\S(?:.{0,200}?[.!?](?=\s|$)|.{0,200}(?=\s|$)|.{0,200})/gs) ?? [text];
  const secondsPerUnit = duration / sentences.join('').length;
  let done = 0;
  return sentences.map((sentence) => {
    const start = round(done * secondsPerUnit);
    done += sentence.length;
    return { start, end: round(done * secondsPerUnit), text: sentence };
  });
}

function* events(text: string): Generator<Buffer> {
  for (const delta of toPieces(text)) yield dataRecord({ type: 'transcript.text.delta', delta });
  yield dataRecord({ type: 'transcript.text.done', text, usage: tokenUsage(text) });
}

function tokenUsage(text: string): object {
  const tokens = toPieces(text).length;
  return { type: 'tokens', input_tokens: 0, output_tokens: tokens, total_tokens: tokens };
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
