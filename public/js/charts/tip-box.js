import { h } from '../lib/h.js';

/** After resting this long on a bucket, the pointer may move into the tip without changing it. */
const SETTLE_MS = 400;
const GAP_PX = 8;

/** @typedef {{ left: number, right: number, isForward: boolean }} Place the bucket's edges, and where the pointer is going */

/** The box of a chart's tip. Beside the bucket, or under the chart where that is narrow (the style sheet says so). */
export function createTipBox() {
  const element = h('div', { class: 'chart-tip', hidden: true });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let shownLeft = Number.NaN;

  return {
    element,
    /**
     * @param {readonly Node[]} content
     * @param {Place} place
     */
    show(content, place) {
      if (element.hidden || place.left !== shownLeft) {
        shownLeft = place.left;
        clearTimeout(timer);
        element.classList.remove('is-settled');
        timer = setTimeout(() => element.classList.add('is-settled'), SETTLE_MS);
      }
      element.replaceChildren(...content);
      element.hidden = false;
      const room = element.parentElement?.clientWidth ?? 0;
      element.style.setProperty('left', `${leftOf(place, element.offsetWidth, room)}px`);
    },
    hide() {
      clearTimeout(timer);
      element.hidden = true;
    },
  };
}

/**
 * Behind the pointer where there is room, so that it does not stand in its way; else on the other side.
 * @param {Place} place
 * @param {number} width
 * @param {number} room
 */
export function leftOf({ left, right, isForward }, width, room) {
  const before = left - GAP_PX - width;
  const after = right + GAP_PX;
  const [first, second] = isForward ? [before, after] : [after, before];
  const fits = (/** @type {number} */ x) => x >= 0 && x + width <= room;
  const x = [first, second].find(fits) ?? first;
  return Math.max(0, Math.min(x, room - width));
}
