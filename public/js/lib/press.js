const TAP_MS = 300;

/**
 * Puts work off while a pointer or the space bar is down in an element: a button that is replaced under it is never
 * clicked.
 * @param {HTMLElement} element
 * @param {() => void} work
 * @param {AbortSignal} signal ends the watching
 * @returns {() => void} does the work, now or when the press is over
 */
export function afterPress(element, work, signal) {
  let isPressed = false;
  let isDue = false;
  let timer = 0;
  const press = () => {
    clearTimeout(timer);
    isPressed = true;
  };
  const end = () => {
    isPressed = false;
    if (isDue) run();
  };
  // The click comes after the release: in the same turn, but after a tap some turns later.
  const release = (/** @type {Event} */ event) => {
    clearTimeout(timer);
    timer = setTimeout(end, event instanceof PointerEvent && event.pointerType === 'touch' ? TAP_MS : 0);
  };
  function run() {
    isDue = isPressed;
    if (!isDue) work();
  }
  element.addEventListener('pointerdown', (event) => event.button === 0 && press());
  element.addEventListener('keydown', (event) => event.key === ' ' && press());
  for (const type of ['pointerup', 'pointercancel', 'keyup', 'blur'])
    addEventListener(type, release, { signal });
  return run;
}
