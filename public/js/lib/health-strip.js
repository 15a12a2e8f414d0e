import { svg } from './h.js';

const BAR = { width: 5, step: 7, height: 20, none: 4 };

/**
 * One bar per hour. The height tells traffic from none; red from the top is the part of the hour that failed.
 * @param {{ label: string, hours: readonly { kind: 'ok' | 'slow' | 'bad' | 'none', badShare?: number }[] }} options
 *   label: read instead of the bars, such as `Groq: failing since 13:58`; badShare: from 0 to 1
 */
export function healthStrip({ label, hours }) {
  const width = Math.max(hours.length * BAR.step - (BAR.step - BAR.width), 0);
  return svg(
    'svg',
    { class: 'strip', role: 'img', 'aria-label': label, width, height: BAR.height },
    ...hours.flatMap(({ kind, badShare = kind === 'bad' ? 1 : 0 }, index) => {
      const x = index * BAR.step;
      if (kind === 'none') return [rect('none', x, BAR.height - BAR.none, BAR.none)];
      const bad = badShare > 0 ? Math.max(3, Math.round(badShare * BAR.height)) : 0;
      const rest = BAR.height - bad - (bad > 0 ? 1 : 0);
      return [
        ...(bad > 0 ? [rect('bad', x, 0, bad)] : []),
        ...(rest > 0 ? [rect(kind === 'bad' ? 'ok' : kind, x, BAR.height - rest, rest)] : []),
      ];
    }),
  );
}

/**
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} height
 */
function rect(kind, x, y, height) {
  return svg('rect', { class: kind, x, y, width: BAR.width, height, rx: 1 });
}
