import type { TranscriptSpan } from './transcript.ts';

/** Writes segments as SubRip: numbered cues, a comma before the milliseconds. */
export function toSrt(segments: readonly TranscriptSpan[]): string {
  const cues = segments.map(
    (segment, index) => `${index + 1}\n${timing(segment, ',')}\n${cueText(segment)}\n`,
  );
  return `${cues.join('\n')}\n\n`;
}

/** Writes segments as WebVTT (W3C): a header, a full stop before the milliseconds, a blank line after each cue. */
export function toVtt(segments: readonly TranscriptSpan[]): string {
  const cues = segments.map((segment) => `${timing(segment, '.')}\n${cueText(segment)}\n\n`);
  return `WEBVTT\n\n${cues.join('')}`;
}

function timing(segment: TranscriptSpan, separator: string): string {
  return `${timestamp(segment.start, separator)} --> ${timestamp(segment.end, separator)}`;
}

/** An arrow inside a cue would be read as its timing. */
function cueText(segment: TranscriptSpan): string {
  return segment.text
    .trim()
    .replaceAll('-->', '->')
    .replace(/\s*\n\s*/g, ' ');
}

function timestamp(seconds: number, separator: string): string {
  const milliseconds = Math.round(seconds * 1000);
  const pad = (value: number, width: number): string => String(Math.floor(value)).padStart(width, '0');
  const hours = pad(milliseconds / 3_600_000, 2);
  const minutes = pad((milliseconds / 60_000) % 60, 2);
  return `${hours}:${minutes}:${pad((milliseconds / 1000) % 60, 2)}${separator}${pad(milliseconds % 1000, 3)}`;
}
