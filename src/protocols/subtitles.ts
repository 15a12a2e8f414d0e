/** A stretch of speech; times in seconds from the start of the audio. */
export interface Cue {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Writes SubRip subtitles: cues numbered from 1, times always with hours, a comma before the milliseconds, and an extra line
 * end at the end of the file, as OpenAI's API does. Cues without text are left out.
 */
export function toSrt(cues: readonly Cue[]): string {
  const blocks = visible(cues).map(
    (cue, at) => `${at + 1}\n${timestamp(cue.start, ',')} --> ${timestamp(cue.end, ',')}\n${cue.text}\n\n`,
  );
  return blocks.length === 0 ? '' : `${blocks.join('')}\n`;
}

/** Writes WebVTT subtitles (W3C WebVTT section 4), times always with hours. Cues without text are left out. */
export function toVtt(cues: readonly Cue[]): string {
  const blocks = visible(cues).map(
    (cue) => `${timestamp(cue.start, '.')} --> ${timestamp(cue.end, '.')}\n${cue.text}\n\n`,
  );
  return `WEBVTT\n\n${blocks.join('')}`;
}

function visible(cues: readonly Cue[]): Cue[] {
  return cues.map((cue) => ({ ...cue, text: cueText(cue.text) })).filter((cue) => cue.text !== '');
}

/** A cue's text without blank lines, which would end the cue, and without arrows, which would begin another. */
function cueText(text: string): string {
  const lines = text.split(/[\n\r\v\f\u0085\u2028\u2029]+/).map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .join('\n')
    .replace(/-{2,}>/g, '->');
}

/** `HH:MM:SS` and milliseconds. Rounded once, so 59.9996 s becomes the next minute. */
function timestamp(seconds: number, separator: ',' | '.'): string {
  const milliseconds = Math.round(seconds * 1000);
  const pad = (value: number, digits: number): string => String(Math.floor(value)).padStart(digits, '0');
  const hours = pad(milliseconds / 3_600_000, 2);
  const minutes = pad((milliseconds / 60_000) % 60, 2);
  return `${hours}:${minutes}:${pad((milliseconds / 1000) % 60, 2)}${separator}${pad(milliseconds % 1000, 3)}`;
}
