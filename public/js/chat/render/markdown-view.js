/** Renders Markdown as DOM nodes. Text never becomes HTML. Nothing is fetched: images become links. */
import { h } from '../../lib/h.js';
import { createBlockStream } from './block-stream.js';
import { createAnswerBlocks } from './block-view.js';
import { createFrameWork } from './frame-work.js';

/** How much text is parsed and shown in one frame. More takes several frames, so that the page stays responsive. */
const MAX_FRAME_CHARS = 16_384;
/**
 * While text arrives, a frame shows this much, or this share of what is unread if that is more: after a pause of the browser the
 * rest follows over several frames.
 */
const MIN_GROWTH_CHARS = 512;
const GROWTH_SHARE = 1 / 8;
/** For the height that the browser assumes for an answer that it has not laid out yet. */
const CHARS_PER_LINE = 80;
const LINE_PX = 24;
/** A longer last part stays laid out: the browser would go through all of it to set it apart. */
const MAX_PART_ELEMENTS = 10_000;
/** Within these, the text goes on at their last element. */
const AROUND_TEXT = '.md-blocks, .md-list, .md-code, ul, ol, li, blockquote, .md-task > div, pre, pre > code';

/**
 * @typedef {{ element: HTMLElement, append(text: string): void, finish(): Promise<void> }} MarkdownView
 *   append: text is shown in the next frame; finish: no text follows, a short rest is shown at once; resolves when all is shown
 */

/**
 * Markdown that grows on the page, at most once per frame. Only the open block is parsed again.
 * @param {{ onRender?: () => void }} [options] onRender: called after each change of the page
 * @returns {MarkdownView}
 */
export function createMarkdownView({ onRender } = {}) {
  const element = h('div', { class: 'md' });
  const stream = createBlockStream();
  const show = createAnswerBlocks(element);
  /** Where the next words will appear. @type {Element | null} */
  let cursor = null;
  const work = createFrameWork(render);
  let chars = 0;
  let unreadChars = 0;
  /** @type {(() => void) | null} */
  let onEnd = null;

  function render() {
    const growthChars = Math.max(MIN_GROWTH_CHARS, unreadChars * GROWTH_SHARE);
    unreadChars = stream.read(onEnd ? MAX_FRAME_CHARS : Math.min(growthChars, MAX_FRAME_CHARS));
    const isAll = unreadChars === 0;
    show(stream.blocks);
    const isEnd = isAll && onEnd !== null;
    moveCursor(isEnd ? null : openText(element));
    if (!isAll) work.requestNext();
    else if (onEnd) {
      assumeHeight();
      endPart();
      onEnd();
    }
    onRender?.();
  }

  /**
   * Marks the one element: a rule for what is within an open answer would restyle all of it at its end.
   * @param {Element | null} next
   */
  function moveCursor(next) {
    if (next === cursor) return;
    cursor?.classList.remove('is-cursor');
    if (cursor?.className === '') cursor.removeAttribute('class');
    next?.classList.add('is-cursor');
    cursor = next;
  }

  /** For the parts that the browser has not laid out yet, and their groups. */
  function assumeHeight() {
    const groups = [...element.children];
    const count = groups.reduce((sum, group) => sum + group.children.length, 0);
    const partPx = Math.ceil(chars / CHARS_PER_LINE / count) * LINE_PX;
    for (const group of groups) {
      assumePx(group, partPx * group.children.length);
      for (const part of group.children) assumePx(part, partPx);
    }
  }

  /** A class of the part, because a rule for what is within a finished answer would restyle all parts. */
  function endPart() {
    const part = element.lastElementChild?.lastElementChild;
    const isLong = part && part.getElementsByTagName('*').length > MAX_PART_ELEMENTS;
    if (!isLong) part?.classList.add('is-ended');
  }

  return {
    element,
    append(text) {
      chars += text.length;
      unreadChars += text.length;
      stream.push(text);
      work.request();
    },
    finish() {
      stream.close();
      work.cancel();
      return new Promise((resolve) => {
        onEnd = resolve;
        render();
      });
    },
  };
}

/** @param {Element} part @param {number} heightPx */
function assumePx(part, heightPx) {
  if (part instanceof HTMLElement) part.style.setProperty('contain-intrinsic-size', `auto ${heightPx}px`);
}

/**
 * The paragraph or the lines of code that grow; null after anything else.
 * @param {Element} answer
 */
function openText(answer) {
  let last = answer.lastElementChild;
  while (last?.matches(AROUND_TEXT)) last = last.lastElementChild;
  if (last?.lastElementChild?.matches('.md-part')) last = last.lastElementChild;
  return last?.matches('p, .md-part, pre > code > span') ? last : null;
}

/**
 * A whole text as Markdown. The end of a long one follows in the next frames.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function renderMarkdown(text) {
  const view = createMarkdownView();
  view.append(text);
  void view.finish();
  return view.element;
}
