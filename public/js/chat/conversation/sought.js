/** The place in the conversation that a search has found: it is brought into view, and the word in it is marked. */

/** The name of the mark in chat-render.css. */
const MARK = 'found';
/** Of the log's height, above the word. */
const LEAD = 1 / 4;

/**
 * @param {HTMLElement} scroller
 * @param {HTMLElement} message
 * @param {string} word in small letters; '' or one that is not there: the beginning of the message
 */
export function createSought(scroller, message, word) {
  return {
    /** Scrolls there. To be called again when the sizes of what is above have changed. */
    show() {
      if (!message.isConnected) return;
      const range = findWord(message, word);
      mark(range);
      const { top, height } = scroller.getBoundingClientRect();
      const at = range
        ? range.getBoundingClientRect().top - LEAD * height
        : message.getBoundingClientRect().top;
      scroller.scrollTop += at - top;
    },
    end: () => mark(null),
  };
}

/** @param {Range | null} range */
function mark(range) {
  // Safari before 17.2 and Firefox before 140 have no marks.
  if (!('highlights' in CSS)) return;
  if (range) CSS.highlights.set(MARK, new Highlight(range));
  else CSS.highlights.delete(MARK);
}

/**
 * The first place of a word that is seen; null if there is none, such as for a word with a part in bold.
 * @param {HTMLElement} element
 * @param {string} word in small letters
 */
function findWord(element, word) {
  if (word === '') return null;
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = /** @type {Text} */ (texts.currentNode);
    const at = text.data.toLowerCase().indexOf(word);
    if (at < 0) continue;
    const range = new Range();
    range.setStart(text, at);
    range.setEnd(text, Math.min(text.length, at + word.length));
    if (range.getClientRects().length > 0) return range;
  }
  return null;
}
