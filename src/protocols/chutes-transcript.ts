import { isUtf8 } from 'node:buffer';
import { HttpError } from '../errors.ts';
import { isRecord, parseJson } from '../json/value.ts';
import type { Cue } from './subtitles.ts';
import { estimateSeconds, type Transcript } from './transcription.ts';

/** A segment as the response has it. */
interface RawSegment {
  readonly start: number | null;
  readonly end: number | null;
  readonly text: string;
}

/** The transcript found in a response or in a part of it. */
interface Found {
  readonly text: string;
  readonly segments: readonly Cue[] | null;
}

const SEGMENT_LISTS = ['segments', 'chunks', 'results'] as const;
const TEXTS = ['text', 'transcription', 'transcript', 'output', 'result'] as const;
const DEPTH_AT_MOST = 8;
/** 99:59:59.999, the last time that subtitles can express with two digits for the hours. */
const SECONDS_AT_MOST = 359_999.999;

/**
 * Parses the successful response of a Chutes speech chute (chutesai/chutes, examples/whisper_stt.py). Shapes differ by chute:
 * - a list of `{start, end, text}` or `{timestamp: [start, end], text}`, times in seconds;
 * - an object with such a list as `segments`, `chunks` or `results`;
 * - an object with the text as `text`, `transcription`, `transcript`, `output` or `result`, or with another of these shapes
 *   under such a name;
 * - a JSON string, or plain text.
 * An empty list is silence. A missing end is filled in from the next start.
 * @throws HttpError `upstream_invalid_response` for anything else, such as an error sent with status 200.
 */
export function parseChutesTranscript(body: Buffer, contentType: string | undefined): Transcript {
  if (!isUtf8(body)) throw unreadable();
  const source = body.toString('utf8').replace(/^\ufeff/, '');
  const isLabelledText = /^\s*text\/plain\b/i.test(contentType ?? '');
  const value = parseJson(source);
  const isWord = value === null || typeof value === 'number' || typeof value === 'boolean';
  const isText = value === undefined || (isLabelledText && isWord);
  const response = isText ? plainText(source, isLabelledText, contentType ?? '') : value;
  const found = readResponse(response, 0);
  if (found === null) throw unreadable();
  const record = isRecord(response) ? response : {};
  const stated = seconds(record['duration']);
  return {
    ...found,
    duration: stated ?? found.segments?.at(-1)?.end ?? (found.segments === null ? null : 0),
    language: typeof record['language'] === 'string' ? record['language'] : null,
  };
}

function unreadable(): HttpError {
  const message = "The provider's response is not a transcript.";
  return new HttpError('upstream_invalid_response', message);
}

/** A response that is not JSON is plain text, unless it is blank or begins like truncated JSON or an HTML page. */
function plainText(source: string, isLabelled: boolean, contentType: string): string | null {
  const isJson = !isLabelled && /^\s*(\{|"|\[\s*[{["])/.test(source);
  const isPage = /^\s*</.test(source) || /\b(html|xml)\b/i.test(contentType);
  return isJson || isPage || source.trim() === '' ? null : source;
}

function readResponse(value: unknown, depth: number): Found | null {
  if (depth > DEPTH_AT_MOST) return null;
  if (typeof value === 'string') return { text: value.trim(), segments: null };
  if (Array.isArray(value)) return readSegments(value, depth);
  return isRecord(value) ? readRecord(value, depth) : null;
}

function readRecord(record: Record<string, unknown>, depth: number): Found | null {
  const found = readMembers(record, depth);
  const hasError = Boolean(record['error'] ?? record['detail']);
  return found?.text === '' && hasError ? null : found;
}

function readMembers(record: Record<string, unknown>, depth: number): Found | null {
  const list = SEGMENT_LISTS.map((name) => record[name]).find(Array.isArray);
  const spoken = TEXTS.map((name) => record[name]).find((member) => typeof member === 'string');
  const text = typeof spoken === 'string' ? spoken.trim() : null;
  const listed = list === undefined ? null : readSegments(list, depth);
  if (listed !== null) return { ...listed, text: text || listed.text };
  if (text !== null) return { text, segments: null };
  for (const name of TEXTS) {
    const inner = readResponse(record[name], depth + 1);
    if (inner !== null) return inner;
  }
  return null;
}

/** A list of segments or of texts, or a list whose only item is a whole response. */
function readSegments(list: readonly unknown[], depth: number): Found | null {
  const raw: RawSegment[] = [];
  for (const item of list) {
    const segment = readSegment(item);
    if (segment === null) return list.length === 1 ? readResponse(item, depth + 1) : null;
    raw.push(segment);
  }
  const hasTimes = raw.length === 0 || raw.some(({ start, end }) => start !== null || end !== null);
  const text = joinTexts(raw.map((segment) => segment.text));
  return { text, segments: hasTimes ? repairTimes(raw) : null };
}

function readSegment(item: unknown): RawSegment | null {
  if (typeof item === 'string') return { start: null, end: null, text: item };
  // A whole response in a list is not a segment.
  if (!isRecord(item) || SEGMENT_LISTS.some((name) => Array.isArray(item[name]))) return null;
  const stamp: unknown[] = Array.isArray(item['timestamp']) ? item['timestamp'] : [];
  const start = seconds(item['start'] ?? stamp[0]);
  const { text } = item;
  if (typeof text !== 'string' && start === null) return null;
  return { start, end: seconds(item['end'] ?? stamp[1]), text: typeof text === 'string' ? text : '' };
}

function seconds(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return null;
  return Math.min(Math.max(number, 0), SECONDS_AT_MOST);
}

/** Whisper's texts begin with their own spaces; other models' texts do not. */
function joinTexts(texts: readonly string[]): string {
  if (texts.some((text) => /^\s/.test(text))) return texts.join('').trim();
  return texts
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .join(' ');
}

/** Makes starts and ends ascend, and fills in ends that are missing or not after their start. */
function repairTimes(raw: readonly RawSegment[]): Cue[] {
  const starts: number[] = [];
  for (const { start } of raw) {
    const earliest = Math.max(starts.at(-1) ?? 0, start === null ? (raw[starts.length - 1]?.end ?? 0) : 0);
    starts.push(Math.max(earliest, start ?? 0));
  }
  const cues: Cue[] = [];
  let later: number | null = null;
  for (let at = raw.length - 1; at >= 0; at--) {
    const start = starts[at] ?? 0;
    const { end, text } = raw[at] ?? { end: null, text: '' };
    const next = starts[at + 1];
    if (next !== undefined && next > start) later = next;
    cues.push({
      start,
      end: end !== null && end > start ? end : (later ?? endOf(start, text)),
      text,
    });
  }
  let latest = 0;
  return cues.reverse().map((cue) => {
    latest = Math.min(Math.max(latest, cue.end), SECONDS_AT_MOST);
    return { ...cue, end: latest };
  });
}

function endOf(start: number, text: string): number {
  return Math.round((start + estimateSeconds(text)) * 1000) / 1000;
}
