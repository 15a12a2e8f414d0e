/** Renders Markdown as DOM nodes. Text never becomes HTML. Nothing is fetched: images become links. */
import { h } from '../../lib/h.js';
import { createBlockStream } from './block-stream.js';
import { createBlocks } from './block-view.js';

/** How much text is parsed and shown in one frame. More takes several frames, so that the page stays responsive. */
const MAX_FRAME_CHARS = 16_384;
/** For the height that the browser assumes for an answer that it has not laid out yet. */
const CHARS_PER_LINE = 80;
const LINE_PX = 24;

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
  const element = h('div', { class: 'md is-open' });
  const stream = createBlockStream();
  const show = createBlocks(element);
  let frame = 0;
  let chars = 0;
  /** @type {(() => void) | null} */
  let onEnd = null;

  function render() {
    frame = 0;
    const isAll = stream.read(MAX_FRAME_CHARS);
    show(stream.blocks);
    if (!isAll) schedule();
    else if (onEnd) {
      const lines = Math.ceil(chars / CHARS_PER_LINE);
      element.style.setProperty('contain-intrinsic-size', `auto ${lines * LINE_PX}px`);
      element.classList.remove('is-open');
      onEnd();
    }
    onRender?.();
  }

  function schedule() {
    if (frame === 0) frame = requestAnimationFrame(render);
  }

  return {
    element,
    append(text) {
      chars += text.length;
      stream.push(text);
      schedule();
    },
    finish() {
      stream.close();
      cancelAnimationFrame(frame);
      return new Promise((resolve) => {
        onEnd = resolve;
        render();
      });
    },
  };
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
