import assert from 'node:assert/strict';

export interface ParsedCue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

const CLOCK = '(\\d{2,}):([0-5]\\d):([0-5]\\d)';

/** Parses SubRip as the strictest players do: every cue is numbered, timed, not empty, and followed by a blank line. */
export function parseSrt(source: string): ParsedCue[] {
  if (source === '') return [];
  assert.ok(source.endsWith('\n\n\n') && !source.endsWith('\n\n\n\n'), 'three line ends at the end');
  const blocks = source.slice(0, -3).split('\n\n');
  return blocks.map((block, at) => {
    const [index, times, ...lines] = block.split('\n');
    assert.equal(index, String(at + 1));
    return cue(times, lines, ',');
  });
}

/** Parses WebVTT without settings, styles or identifiers. */
export function parseVtt(source: string): ParsedCue[] {
  assert.ok(source.startsWith('WEBVTT\n\n'));
  const rest = source.slice('WEBVTT\n\n'.length);
  if (rest === '') return [];
  assert.ok(rest.endsWith('\n\n'));
  return rest
    .slice(0, -2)
    .split('\n\n')
    .map((block) => {
      const [times, ...lines] = block.split('\n');
      return cue(times, lines, '.');
    });
}

function cue(times: string | undefined, lines: string[], point: ',' | '.'): ParsedCue {
  const stamp = `${CLOCK}\\${point}(\\d{3})`;
  const match = new RegExp(`^${stamp} --> ${stamp}$`).exec(times ?? '');
  assert.ok(match, `times: ${times}`);
  const [h1, m1, s1, f1, h2, m2, s2, f2] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const startMs = ((h1 * 60 + m1) * 60 + s1) * 1000 + f1;
  const endMs = ((h2 * 60 + m2) * 60 + s2) * 1000 + f2;
  assert.ok(endMs >= startMs);
  assert.ok(
    lines.length > 0 && lines.every((line) => line !== '' && line === line.trim() && !line.includes('-->')),
  );
  return { startMs, endMs, text: lines.join('\n') };
}
