/**
 * Parses the block structure of Markdown, line by line, into plain objects. Has no DOM, so it also runs in tests. Follows
 * CommonMark 0.31, the tables and task items of GFM, footnotes and display formulas, with two exceptions for the output of
 * language models (see `#isInItem`). Each line is read once and the depth is bounded, so the time is proportional to the
 * length. A block that is not the last one of its parent never changes again.
 */

import { appendLine, appendText, extendLeaf, openLeaf, saveLeaf } from './leaves.js';
import {
  FOOTNOTE,
  indentOf,
  interrupts,
  isBlank,
  openFence,
  QUOTE,
  RULE,
  readHeading,
  readMarker,
  startsFormula,
  stripIndent,
} from './lines.js';
import { isDelimiterRow, splitRow, toAlign } from './tables.js';

/**
 * @typedef {{ type: 'heading', level: number, text: string } | { type: 'paragraph', text: string }
 *   | { type: 'footnote', label: string, text: string } | { type: 'rule' }
 *   | { type: 'code', info: string, text: string, isClosed: boolean } | { type: 'formula', text: string, isClosed: boolean }
 *   | { type: 'table', align: string[], header: string[], rows: string[][] }
 *   | { type: 'quote', blocks: Block[] } | List} Block a formula's text includes its delimiters
 * @typedef {{ type: 'list', mark: string, start: number | null, isTight: boolean, items: ListItem[] }} List
 * @typedef {{ blocks: Block[], isChecked: boolean | null }} ListItem `isChecked` null: not a task
 * @typedef {{ children: Block[], item: { list: List, textIndent: number, markerIndent: number } | null }} Frame an open
 *   container: the document or a quote if `item` is null
 * @typedef {{ isContinued?: boolean, isLast?: boolean }} LineOptions isContinued: the text continues the line before;
 *   isLast: the line may be unfinished
 */

const MAX_DEPTH = 12;
const TASK = /^\[([ xX])\][ \t]+/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;

/** The state of the parser between two lines: the blocks so far and the ones that are open. */
export class BlockParser {
  /** @type {Block[]} */ blocks = [];
  /** @type {Frame[]} */ #stack = [{ children: this.blocks, item: null }];
  /** @type {import('./leaves.js').Leaf | null} */ #leaf = null;
  /** Whether the line before was blank, and in which frames: those from this index on; -1 if it was not. */
  #blankFrom = -1;

  /**
   * Reads one line.
   * @param {string} line without its line end
   * @param {LineOptions} [options]
   */
  feed(line, { isContinued = false, isLast = false } = {}) {
    if (isContinued) {
      if (!(this.#leaf && extendLeaf(this.#leaf, line)) && !isBlank(line)) this.#startParagraph(line.trim());
      return;
    }
    const { matched, quote, rest } = this.#match(line);
    if (matched === this.#stack.length && this.#leaf?.isVerbatim) {
      this.#blankFrom = -1;
      this.#feedVerbatim(rest, quote);
    } else if (isBlank(rest)) {
      this.#endText(matched, rest, quote);
    } else {
      if (!this.#continueText(rest, matched, isLast)) {
        this.#closeFrom(matched);
        this.#openBlocks(rest);
      }
      this.#blankFrom = -1;
    }
  }

  /**
   * Finds the open containers that a line continues.
   * @param {string} line
   * @returns {{ matched: number, quote: number, rest: string }} the number of frames, the innermost quote among them, and
   *   the line without their marks
   */
  #match(line) {
    let rest = line;
    let quote = 0;
    let matched = 1;
    for (; matched < this.#stack.length; matched += 1) {
      const frame = /** @type {Frame} */ (this.#stack[matched]);
      if (frame.item) {
        if (!this.#isInItem(rest, frame, matched)) break;
        rest = stripIndent(rest, frame.item.textIndent);
      } else {
        if (!QUOTE.test(rest)) break;
        rest = rest.replace(QUOTE, '');
        quote = matched;
      }
    }
    return { matched, quote, rest };
  }

  /**
   * Whether a line belongs to an open item. Two exceptions to CommonMark: a marker indented by two columns starts a nested
   * list even if the item's text starts further right, and an open fence continues until it is closed, whatever the
   * indentation.
   * @param {string} line @param {Frame} frame @param {number} at index of the frame
   */
  #isInItem(line, { children, item }, at) {
    if (!item) return false;
    if (isBlank(line)) return children.length > 0;
    if (indentOf(line) >= item.textIndent) return true;
    if (this.#leaf?.fence) return this.#stack.slice(at).every((frame) => frame.item);
    const nested = this.#leaf?.isVerbatim ? null : readMarker(line);
    return nested !== null && nested.indent >= item.markerIndent + 2;
  }

  /** Closes the frames from an index on, and the leaf. @param {number} index */
  #closeFrom(index) {
    this.#stack.length = index;
    this.#leaf = null;
  }

  /** @param {string} rest @param {number} quote */
  #feedVerbatim(rest, quote) {
    const leaf = /** @type {import('./leaves.js').Leaf} */ (this.#leaf);
    const { isOpen, remainder } = appendLine(leaf, rest);
    if (isOpen) return;
    this.#leaf = null;
    if (isBlank(rest)) this.#blankFrom = quote;
    else if (remainder !== '') this.#openBlocks(remainder);
  }

  /** A blank line. @param {number} matched @param {string} rest @param {number} quote */
  #endText(matched, rest, quote) {
    if (matched < this.#stack.length) this.#closeFrom(matched);
    else if (this.#leaf?.isIndented) this.#leaf.blanks += `\n${stripIndent(rest, 4)}`;
    else this.#leaf = null;
    this.#blankFrom = quote;
  }

  /**
   * Appends a line to the open leaf.
   * @param {string} rest @param {number} matched @param {boolean} isLast
   * @returns {boolean} false: the line starts a block
   */
  #continueText(rest, matched, isLast) {
    const leaf = this.#leaf;
    if (!leaf) return false;
    const isInside = matched === this.#stack.length;
    const { block } = leaf;
    if (leaf.isIndented) return isInside && indentOf(rest) >= 4 && appendLine(leaf, rest).isOpen;
    if (block.type === 'table') {
      if (!isInside || !rest.includes('|') || interrupts(rest)) return false;
      block.rows.push(splitRow(rest));
      return true;
    }
    if (block.type !== 'paragraph' && block.type !== 'footnote') return false;
    const canStart = matched - 1 < MAX_DEPTH;
    if (canStart && isInside && block.type === 'paragraph' && this.#transform(leaf, block, rest, isLast))
      return true;
    // Only within the same container, an item must look like one to interrupt a paragraph.
    const marker = isInside ? null : readMarker(rest);
    if (canStart && (interrupts(rest) || (marker !== null && marker.indent < 4))) return false;
    appendText(leaf, rest.trim());
    return true;
  }

  /**
   * Makes a heading of an open paragraph that is underlined, or a table of its last line.
   * @param {import('./leaves.js').Leaf} leaf @param {{ type: 'paragraph', text: string }} paragraph @param {string} line @param {boolean} isLast
   */
  #transform({ earlier, lastLine }, paragraph, line, isLast) {
    const { children } = /** @type {Frame} */ (this.#stack.at(-1));
    const underline = UNDERLINE.exec(line);
    if (underline) {
      children.pop();
      children.push({ type: 'heading', level: underline[1]?.startsWith('=') ? 1 : 2, text: paragraph.text });
      this.#leaf = null;
      return true;
    }
    if (!isDelimiterRow(lastLine, line, isLast)) return false;
    if (earlier === null) children.pop();
    else paragraph.text = earlier;
    const align = splitRow(line).map(toAlign);
    this.#open({ type: 'table', align, header: splitRow(lastLine), rows: [] });
    return true;
  }

  /** Opens the containers and the leaf that a line starts. @param {string} line not blank */
  #openBlocks(line) {
    let rest = line;
    while (this.#stack.length - 1 < MAX_DEPTH) {
      if (isBlank(rest)) return;
      const marker = indentOf(rest) < 4 ? readMarker(rest) : null;
      if (marker) rest = this.#openItem(marker);
      else if (QUOTE.test(rest)) {
        /** @type {Block[]} */ const blocks = [];
        this.#add({ type: 'quote', blocks });
        this.#stack.push({ children: blocks, item: null });
        rest = rest.replace(QUOTE, '');
      } else break;
    }
    if (isBlank(rest)) return;
    if (this.#stack.length - 1 >= MAX_DEPTH) this.#startParagraph(rest.trim());
    else this.#openLeaf(rest);
  }

  /** @param {string} rest */
  #openLeaf(rest) {
    const heading = readHeading(rest);
    const note = FOOTNOTE.exec(rest);
    const fence = openFence(rest);
    if (indentOf(rest) >= 4)
      this.#open({ type: 'code', info: '', text: stripIndent(rest, 4), isClosed: true });
    else if (RULE.test(rest)) this.#add({ type: 'rule' });
    else if (heading) this.#add(heading);
    else if (fence) {
      this.#open(
        { type: 'code', info: fence.info, text: '', isClosed: false },
        { mark: fence.mark, indent: indentOf(rest) },
      );
    } else if (note)
      this.#open({ type: 'footnote', label: note[1] ?? '', text: rest.slice(note[0].length).trim() });
    else if (startsFormula(rest)) {
      this.#open({ type: 'formula', text: '', isClosed: false });
      this.#feedVerbatim(rest, 0);
    } else this.#startParagraph(rest.trim());
  }

  /**
   * Adds an item to the last list of the innermost container, or to a new list.
   * @param {import('./lines.js').Marker} marker
   * @returns {string} the text after the marker
   */
  #openItem(marker) {
    const frame = /** @type {Frame} */ (this.#stack.at(-1));
    let list = frame.children.at(-1);
    if (list?.type === 'list' && list.mark === marker.kind) {
      if (this.#isAfterBlank()) list.isTight = false;
    } else {
      list = { type: 'list', mark: marker.kind, start: marker.start, isTight: true, items: [] };
      this.#add(list);
    }
    const task = TASK.exec(marker.rest);
    /** @type {ListItem} */ const item = { blocks: [], isChecked: task ? task[1] !== ' ' : null };
    list.items.push(item);
    const textIndent = marker.indent + marker.width;
    this.#stack.push({ children: item.blocks, item: { list, textIndent, markerIndent: marker.indent } });
    return task ? marker.rest.slice(task[0].length) : marker.rest;
  }

  #isAfterBlank() {
    return this.#blankFrom >= 0 && this.#stack.length - 1 >= this.#blankFrom;
  }

  /** @param {Block} block */
  #add(block) {
    const { children, item } = /** @type {Frame} */ (this.#stack.at(-1));
    if (item && children.length > 0 && this.#isAfterBlank()) item.list.isTight = false;
    children.push(block);
  }

  /** @param {import('./leaves.js').LeafBlock} block @param {import('./leaves.js').Fence} [fence] */
  #open(block, fence) {
    this.#add(block);
    this.#leaf = openLeaf(block, fence);
  }

  /** @param {string} text */
  #startParagraph(text) {
    this.#open({ type: 'paragraph', text });
  }

  /**
   * Remembers the state. What one more line changes can be taken back.
   * @returns {() => void} takes back everything since
   */
  save() {
    const frames = this.#stack.map((frame) => {
      const last = frame.children.at(-1);
      const list = last?.type === 'list' ? last : null;
      const shape = { length: list?.items.length ?? 0, isTight: list?.isTight ?? true };
      return { frame, length: frame.children.length, last, list, shape };
    });
    const [leaf, blankFrom] = [this.#leaf, this.#blankFrom];
    const restoreLeaf = leaf && saveLeaf(leaf);
    return () => {
      this.#stack = frames.map(({ frame }) => frame);
      this.#blankFrom = blankFrom;
      for (const { frame, length, last, list, shape } of frames) {
        frame.children.length = length;
        if (last) frame.children[length - 1] = last;
        if (!list) continue;
        list.items.length = shape.length;
        list.isTight = shape.isTight;
      }
      this.#leaf = leaf;
      restoreLeaf?.();
    };
  }
}
