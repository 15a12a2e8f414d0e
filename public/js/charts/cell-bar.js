import { svg } from '../lib/h.js';

/** @typedef {'quiet' | 'accent' | 'warn' | 'bad'} BarTone */

/**
 * A horizontal bar as wide as its parent, for table cells and budgets. Decoration: the figure stands beside it.
 * @param {{ share: number, tone?: BarTone, markAt?: number | null }} options `share` and `markAt` from 0 to 1; more than
 *   all is drawn as all
 */
export function cellBar({ share, tone = 'quiet', markAt = null }) {
  const part = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  return svg(
    'svg',
    { class: `chart-cell chart-cell-${tone}`, 'aria-hidden': 'true' },
    svg('rect', { class: 'chart-cell-track', width: '100%', height: '100%' }),
    // What is there can be seen, however small it is.
    ...(part > 0
      ? [
          svg('rect', {
            class: 'chart-cell-fill',
            width: `${percent(Math.max(part, 0.01))}%`,
            height: '100%',
          }),
        ]
      : []),
    ...(markAt === null
      ? []
      : [svg('rect', { class: 'chart-cell-mark', x: `${percent(markAt)}%`, width: 2, height: '100%' })]),
  );
}

/** @param {number} part */
function percent(part) {
  return Math.round(part * 1000) / 10;
}
