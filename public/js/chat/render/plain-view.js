/** Text that grows on the page as it is, once per frame. */
import { h } from '../../lib/h.js';
import { createFrameWork } from './frame-work.js';

/** A part ends at the first line end after so many characters: what is added lays out the last part only. */
const PART_CHARS = 2048;
/** Longer lines are broken. */
const MAX_PART_CHARS = 8192;

/**
 * @param {{ onRender: () => void }} options onRender: called after each change of the page
 * @returns {{ element: HTMLElement, append(text: string): void }} append: the text is shown in the next frame
 */
export function createPlainView({ onRender }) {
  const element = h('div');
  let pending = '';
  let open = addPart();
  const work = createFrameWork(() => {
    const text = pending;
    pending = '';
    for (let at = 0; at < text.length; ) {
      const end = partEnd(text, at, open.length);
      open.appendData(text.slice(at, end ?? text.length));
      at = end ?? text.length;
      if (end !== null) open = addPart();
    }
    onRender();
  });

  function addPart() {
    const text = document.createTextNode('');
    element.append(h('div', { class: 'md-part' }, text));
    return text;
  }

  return {
    element,
    append(text) {
      pending += text;
      work.request();
    },
  };
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} length of the part so far
 * @returns {number | null} null if the part takes all of the text
 */
function partEnd(text, at, length) {
  const most = at + MAX_PART_CHARS - length;
  const line = text.indexOf('\n', at + Math.max(0, PART_CHARS - length));
  if (line >= 0 && line < most) return line + 1;
  if (text.length <= most) return null;
  return /[\ud800-\udbff]/.test(text.charAt(most - 1)) ? most - 1 : most;
}
