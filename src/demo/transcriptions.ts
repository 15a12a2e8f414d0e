import { type DemoAnswer, type DemoCall, dataRecord, eventStream, json } from './call.ts';
import { invalidValue, missingParameter, oneOf, optionalBoolean, optionalString } from './fields.ts';
import { toSrt, toVtt } from './subtitles.ts';
import { toPieces } from './tokens.ts';
import { type Transcript, transcribe } from './transcript.ts';

const LANGUAGES: Readonly<Record<string, string>> = {
  ar: 'arabic',
  de: 'german',
  en: 'english',
  es: 'spanish',
  fr: 'french',
  id: 'indonesian',
  it: 'italian',
  ja: 'japanese',
  ko: 'korean',
  nl: 'dutch',
  pt: 'portuguese',
  ru: 'russian',
  zh: 'chinese',
};

/**
 * POST /v1/audio/transcriptions (OpenAI API reference, Audio). `demo-whisper` knows five formats and ignores
 * `stream`, as whisper-1 does; `demo-transcribe` answers in JSON only and streams, as gpt-4o-transcribe does.
 */
export function transcription(call: DemoCall): DemoAnswer {
  const transcript = transcribe(requiredAudio(call));
  if (call.model !== 'demo-transcribe') return formatted(call, transcript, 'transcribe');
  oneOf(call.body, 'response_format', ['json']);
  const usage = tokenUsage(transcript);
  if (optionalBoolean(call.body, 'stream')) return eventStream(events(transcript, usage));
  return json({ text: transcript.text, usage });
}

/** POST /v1/audio/translations: the same text, said to be English. */
export function translation(call: DemoCall): DemoAnswer {
  return formatted(call, transcribe(requiredAudio(call)), 'translate');
}

/** Chutes' own POST /transcribe (chutesai/chutes, examples/whisper_stt.py): base64 in, a list of segments out. */
export function chutesTranscription(call: DemoCall): DemoAnswer {
  const { audio_b64: base64 } = call.body;
  if (typeof base64 !== 'string') throw missingParameter('audio_b64');
  const audio = Buffer.from(base64, 'base64');
  if (audio.length === 0) throw invalidValue('audio_b64', 'audio as base64');
  const segments = transcribe(audio).segments.map((segment) => ({ ...segment, text: ` ${segment.text}` }));
  return { kind: 'json', value: segments, headers: { 'x-chutes-invocationid': call.id } };
}

function requiredAudio(call: DemoCall): Buffer {
  const file = call.files.find((candidate) => candidate.field === 'file');
  if (file === undefined) throw missingParameter('file');
  if (file.bytes.length === 0) throw invalidValue('file', 'a file that is not empty');
  return file.bytes;
}

function formatted(call: DemoCall, transcript: Transcript, task: 'transcribe' | 'translate'): DemoAnswer {
  const usage = { type: 'duration', seconds: Math.ceil(transcript.durationSeconds) };
  switch (oneOf(call.body, 'response_format', ['json', 'text', 'srt', 'verbose_json', 'vtt'])) {
    case 'text':
      return plainText(`${transcript.text}\n`);
    case 'srt':
      return plainText(toSrt(transcript.segments));
    case 'vtt':
      return plainText(toVtt(transcript.segments));
    case 'verbose_json':
      return json({ ...verbose(call, transcript, task), usage });
    default:
      return json({ text: transcript.text, usage });
  }
}

/** Words come only where asked for; segments are left out where only words are. */
function verbose(call: DemoCall, transcript: Transcript, task: 'transcribe' | 'translate'): object {
  const asked = call.body['timestamp_granularities'];
  const granularities = Array.isArray(asked) ? asked : [asked ?? 'segment'];
  const code = task === 'translate' ? 'en' : (optionalString(call.body, 'language') ?? 'en').toLowerCase();
  const segments = transcript.segments.map((segment, id) => ({
    id,
    seek: 0,
    start: segment.start,
    end: segment.end,
    text: ` ${segment.text}`,
    tokens: [],
    temperature: 0,
    avg_logprob: -0.1,
    compression_ratio: 1,
    no_speech_prob: 0.01,
  }));
  const words = transcript.words.map((word) => ({ word: word.text, start: word.start, end: word.end }));
  return {
    task,
    language: Object.hasOwn(LANGUAGES, code) ? LANGUAGES[code] : code,
    duration: transcript.durationSeconds,
    text: transcript.text,
    ...(granularities.includes('segment') ? { segments } : {}),
    ...(granularities.includes('word') ? { words } : {}),
  };
}

function* events(transcript: Transcript, usage: object): Generator<string> {
  for (const delta of toPieces(transcript.text)) yield dataRecord({ type: 'transcript.text.delta', delta });
  yield dataRecord({ type: 'transcript.text.done', text: transcript.text, usage });
}

function tokenUsage(transcript: Transcript) {
  const inputTokens = Math.ceil(transcript.durationSeconds * 10);
  const outputTokens = toPieces(transcript.text).length;
  return {
    type: 'tokens',
    input_tokens: inputTokens,
    input_token_details: { text_tokens: 0, audio_tokens: inputTokens },
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}

function plainText(text: string): DemoAnswer {
  return { kind: 'bytes', bytes: Buffer.from(text, 'utf8'), contentType: 'text/plain; charset=utf-8' };
}
