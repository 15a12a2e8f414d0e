/** Parses emphasis (CommonMark 0.31, section 6.2; GFM, strikethrough) with a stack of open marks, in linear time. */

/**
 * @typedef {import('./inline.js').Inline} Inline
 * @typedef {{ mark: string, count: number, canOpen: boolean, canClose: boolean, children: Inline[] }} Frame
 */

const MAX_OPEN_MARKS = 32;
const MAX_RUN = 8;
export const WORD = /[\p{L}\p{N}]/u;

/**
 * Appends text, and joins it to a preceding text node.
 * @param {Inline[]} children
 * @param {string} text
 */
export function addText(children, text) {
  if (text === '') return;
  const last = children.at(-1);
  if (last?.type === 'text') last.text += text;
  else children.push({ type: 'text', text });
}

/**
 * The character before an index. A surrogate pair counts as one character.
 * @param {string} text
 * @param {number} at
 */
export function charBefore(text, at) {
  const low = text.charAt(at - 1);
  return /[\udc00-\udfff]/.test(low) ? text.slice(at - 2, at) : low;
}

/**
 * @param {string} text
 * @param {number} at
 */
function charAfter(text, at) {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

/** A stack of open marks, each with the nodes after it. Closing never moves a node twice, so the time is linear. */
export class MarkStack {
  /** @type {Frame[]} */
  frames = [{ mark: '', count: 0, canOpen: false, canClose: false, children: [] }];

  get children() {
    return /** @type {Frame} */ (this.frames.at(-1)).children;
  }

  /**
   * Converts the open marks above `index` back to text.
   * @param {number} index
   */
  flattenAbove(index) {
    const target = /** @type {Frame} */ (this.frames[index]).children;
    for (const frame of this.frames.splice(index + 1)) {
      addText(target, frame.mark.repeat(frame.count));
      for (const child of frame.children) {
        if (child.type === 'text') addText(target, child.text);
        else target.push(child);
      }
    }
  }

  /** @param {Frame} run */
  findOpener(run) {
    for (let i = this.frames.length - 1; i > 0; i -= 1) {
      const frame = /** @type {Frame} */ (this.frames[i]);
      if (frame.mark !== run.mark) continue;
      const isBothWays = frame.canClose || run.canOpen;
      const isOfThree = (frame.count + run.count) % 3 === 0 && (frame.count % 3 !== 0 || run.count % 3 !== 0);
      if (!(isBothWays && isOfThree && run.mark !== '~')) return i;
    }
    return -1;
  }

  /**
   * Takes a run of `*`, `_` or `~~`: closes matching open marks, and opens a mark with the rest of the run.
   * @param {Frame} run
   */
  take(run) {
    while (run.canClose && run.count > 0) {
      const index = this.findOpener(run);
      if (index < 0) break;
      this.flattenAbove(index);
      const opener = /** @type {Frame} */ (this.frames[index]);
      const used = opener.count >= 2 && run.count >= 2 ? 2 : 1;
      const type = run.mark === '~' ? 'del' : used === 2 ? 'strong' : 'em';
      /** @type {Inline} */ const node = { type, children: opener.children };
      opener.count -= used;
      run.count -= used;
      opener.children = [node];
      if (opener.count === 0) {
        this.frames.pop();
        this.children.push(node);
      }
    }
    if (run.count === 0) return;
    if (run.canOpen && this.frames.length <= MAX_OPEN_MARKS) this.frames.push(run);
    else addText(this.children, run.mark.repeat(run.count));
  }

  finish() {
    this.flattenAbove(0);
    return this.children;
  }
}

/**
 * Reads a run of one mark. A run that is only text can neither open nor close.
 * @param {string} text
 * @param {number} at
 * @returns {Frame}
 */
export function readRun(text, at) {
  const mark = text.charAt(at);
  let end = at + 1;
  while (text.charAt(end) === mark) end += 1;
  const before = charBefore(text, at);
  const after = charAfter(text, end);
  const isSpaceBefore = before === '' || /\s/.test(before);
  const isSpaceAfter = after === '' || /\s/.test(after);
  const count = end - at;
  const isMark = mark === '~' ? count === 2 : count <= MAX_RUN;
  const canOpen = isMark && !isSpaceAfter && (mark !== '_' || !WORD.test(before));
  const canClose = isMark && !isSpaceBefore && (mark !== '_' || !WORD.test(after));
  return { mark, count, canOpen, canClose, children: [] };
}
