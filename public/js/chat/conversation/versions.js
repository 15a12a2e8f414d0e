/** The versions of a message, between which the person moves. */

/** @typedef {import('../types.js').Message} Message */

/**
 * @param {{
 *   thread: () => import('./thread.js').Thread, elementOf: (id: string) => HTMLElement | undefined, onShow: () => void,
 * }} options elementOf: of a message on the page; onShow: another branch of the thread is shown from now on
 */
export function createVersions({ thread, elementOf, onShow }) {
  /** Shows the newest branch that goes through a message. @param {string} id */
  function show(id) {
    thread().showThrough(id);
    onShow();
  }

  /** @param {string | undefined} id */
  function moveTo(id) {
    if (id === undefined) return;
    show(id);
    // The button that was pressed is gone: its twin at the other version gets the focus.
    const twin = elementOf(id)?.querySelector('.branch button:enabled');
    if (twin instanceof HTMLElement) twin.focus({ preventScroll: true });
  }

  return {
    show,
    /** Which version a message is, of how many, and how to leave it. @param {Message} message */
    of(message) {
      const ids = thread().versions(message);
      const at = ids.indexOf(message.id) + 1;
      return { at, count: ids.length, onMove: (/** @type {1 | -1} */ step) => moveTo(ids[at - 1 + step]) };
    },
  };
}
