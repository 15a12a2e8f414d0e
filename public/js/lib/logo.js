import { svg } from './h.js';

/** The logo, in the accent colour. */
export function logo() {
  return svg(
    'svg',
    { class: 'logo', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    svg('rect', { width: 32, height: 32, rx: 8 }),
    svg('path', { d: 'M7 11h9a5 5 0 0 1 0 10h-1m10 0h-4M7 21h4' }),
    svg('circle', { cx: 25, cy: 11, r: 2.5 }),
  );
}
