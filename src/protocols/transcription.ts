import { HttpError } from '../errors.ts';
import { languageName } from './language-names.ts';
import { type Cue, toSrt, toVtt } from './subtitles.ts';

export const TRANSCRIPT_FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt'] as const;
export type TranscriptFormat = (typeof TRANSCRIPT_FORMATS)[number];

/** A transcript, whatever format the provider's response has. */
export interface Transcript {
  readonly text: string;
  /** In order; starts and ends never descend. null: the response has no times. */
  readonly segments: readonly Cue[] | null;
  /** Length of the audio in seconds; null if the response does not show it. */
  readonly duration: number | null;
  /** A code or a name, as the provider gave it. */
  readonly language: string | null;
}

export interface RenderOptions {
  readonly task: 'transcribe' | 'translate';
  /** The requested language, or the language of the result: a code or an English name. */
  readonly language: string | null;
}

/** An answer rendered from a whole response of the provider. */
export interface RenderedAnswer {
  readonly contentType: string;
  readonly body: Buffer;
}

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';
/** Roughly the letters spoken per second. */
const LETTERS_PER_SECOND = 15;
const SHORTEST_SECONDS = 0.5;

/**
 * Writes a transcript in one of the response formats of OpenAI's `/v1/audio/transcriptions`. Subtitles of a transcript
 * without times have one cue. Subtitles and text are text/plain, because SDKs parse everything labelled JSON.
 */
export function renderTranscript(
  transcript: Transcript,
  format: TranscriptFormat,
  options: RenderOptions,
): RenderedAnswer {
  const rendered = (contentType: string, text: string): RenderedAnswer => {
    return { contentType, body: Buffer.from(text) };
  };
  switch (format) {
    case 'json':
      return rendered(JSON_TYPE, JSON.stringify({ text: transcript.text }));
    case 'text':
      return rendered(TEXT_TYPE, `${transcript.text}\n`);
    case 'srt':
      return rendered(TEXT_TYPE, toSrt(cuesOf(transcript)));
    case 'vtt':
      return rendered(TEXT_TYPE, toVtt(cuesOf(transcript)));
    case 'verbose_json':
      return rendered(JSON_TYPE, JSON.stringify(toVerbose(transcript, options)));
  }
}

/** The time that speaking a text takes, in seconds: for responses that do not give an end. */
export function estimateSeconds(text: string): number {
  return Math.max(SHORTEST_SECONDS, Math.round((text.trim().length / LETTERS_PER_SECOND) * 1000) / 1000);
}

/**
 * Checks that the format a form asks for can be made from a list of segments. Returns the format.
 * @throws HttpError `unsupported_parameter` for word timestamps and for diarised output.
 */
export function requireSegmentFormat(form: {
  readonly responseFormat: string;
  readonly granularities: ReadonlySet<string>;
}): TranscriptFormat {
  if (form.granularities.has('word')) {
    const message = "This model's provider returns no word timestamps. Ask for segment timestamps instead.";
    throw new HttpError('unsupported_parameter', message, { param: 'timestamp_granularities' });
  }
  const format = TRANSCRIPT_FORMATS.find((known) => known === form.responseFormat);
  if (format !== undefined) return format;
  const message = `This model's provider cannot answer in this format. Use one of ${TRANSCRIPT_FORMATS.join(', ')}.`;
  throw new HttpError('unsupported_parameter', message, { param: 'response_format' });
}

function cuesOf({ segments, text, duration }: Transcript): readonly Cue[] {
  return segments ?? [{ start: 0, end: duration || estimateSeconds(text), text }];
}

/** Members that only Whisper can fill get neutral values. */
function toVerbose(transcript: Transcript, { task, language }: RenderOptions): object {
  const duration = transcript.duration ?? 0;
  return {
    task,
    language: languageName(language ?? '') ?? languageName(transcript.language ?? '') ?? 'unknown',
    duration,
    text: transcript.text,
    segments: (transcript.segments ?? []).map(({ start, end, text }, id) => ({
      id,
      seek: 0,
      start,
      end,
      text,
      tokens: [],
      temperature: 0,
      avg_logprob: 0,
      compression_ratio: 1,
      no_speech_prob: 0,
    })),
    usage: { type: 'duration', seconds: Math.ceil(duration) },
  };
}
