/** The place in the conversation that a search has found: it is brought into view, and the word in it is marked. */
import { fold } from '../history/search.js';

/** The name of the mark in chat-render.css. */
const MARK = 'found';
/** The share of the log's height that is left above the word. */
const LEAD = 1 / 4;
/** What scrolls sideways in an answer. */
const WIDE = 'pre, .md-table';

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
      if (range === null) scroller.scrollTop += message.getBoundingClientRect().top - top;
      else {
        scroller.scrollTop += range.getBoundingClientRect().top - top - LEAD * height;
        scrollSideways(range);
      }
    },
    end: () => mark(null),
  };
}

/** @param {Range} range */
function scrollSideways(range) {
  const wide = range.startContainer.parentElement?.closest(WIDE);
  if (!wide) return;
  const seen = wide.getBoundingClientRect();
  const { left, right } = range.getBoundingClientRect();
  wide.scrollLeft += Math.max(0, right - seen.right) + Math.min(0, left - seen.left);
}

/** @param {Range | null} range */
function mark(range) {
  // Safari before 17.2 and Firefox before 140 have no marks.
  if (!('highlights' in CSS)) return;
  if (range) CSS.highlights.set(MARK, new Highlight(range));
  else CSS.highlights.delete(MARK);
}

/**
 * The first place of a word in the text of a message; null if there is none, such as for a word with a part in bold.
 * @param {HTMLElement} message
 * @param {string} word in small letters
 */
function findWord(message, word) {
  if (word === '') return null;
  // Names of models and files, and thoughts, are not searched.
  const texts = document.createTreeWalker(
    message.querySelector('.md, .bubble') ?? message,
    NodeFilter.SHOW_TEXT,
  );
  while (texts.nextNode()) {
    const text = /** @type {Text} */ (texts.currentNode);
    const at = fold(text.data).indexOf(word);
    if (at < 0) continue;
    const range = new Range();
    range.setStart(text, at);
    range.setEnd(text, at + word.length);
    return range;
  }
  return null;
}
