const TAP_MS = 300;

/**
 * Postpones work while a pointer or the space bar is pressed in an element. Replacing a button while it is pressed
 * would lose the click.
 * @param {HTMLElement} element
 * @param {() => void} work
 * @param {AbortSignal} signal removes the listeners on the window
 * @returns {() => void} runs the work now, or after the press
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
  // The click event follows the release: in the same turn of the event loop with a mouse, later after a tap.
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
