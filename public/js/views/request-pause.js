/** Scrolled further than this one reads what is below. */
const TOP_PX = 120;

/** @typedef {'scroll' | 'hover' | 'focus' | 'open' | 'button'} PauseReason */

/**
 * Why the list stands still: somebody scrolls, points at it, is in it with the keyboard, has a row open, or pressed the button.
 * @param {{ list: HTMLElement, signal: AbortSignal, onChange: () => void }} options
 */
export function createPause({ list, signal, onChange }) {
  /** @type {Set<PauseReason>} */
  const reasons = new Set();
  /**
   * @param {PauseReason} reason
   * @param {boolean} isSo
   */
  function set(reason, isSo) {
    if (reasons.has(reason) === isSo) return;
    if (isSo) reasons.add(reason);
    else reasons.delete(reason);
    onChange();
  }
  list.addEventListener('pointerenter', ({ pointerType }) => set('hover', pointerType !== 'touch'), {
    signal,
  });
  list.addEventListener('pointerleave', () => set('hover', false), { signal });
  list.addEventListener('focusin', () => set('focus', true), { signal });
  list.addEventListener('focusout', () => set('focus', false), { signal });
  addEventListener('scroll', () => set('scroll', scrollY > TOP_PX), { signal, passive: true });
  return {
    set,
    isPaused: () => reasons.size > 0,
    /** @param {PauseReason} reason */
    has: (reason) => reasons.has(reason),
  };
}
