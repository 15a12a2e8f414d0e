/** The open leaf of a document that is being parsed: the block that takes the next line. */
import { AFTER_FORMULA, closesFence, closingOf, isBlank, stripIndent } from './lines.js';

/**
 * @typedef {import('./blocks.js').Block} Block
 * @typedef {Extract<Block, { type: 'paragraph' | 'footnote' | 'code' | 'formula' | 'table' }>} LeafBlock
 * @typedef {{ mark: string, indent: number }} Fence
 * @typedef {{ block: LeafBlock, fence: Fence | null, isVerbatim: boolean, isIndented: boolean, isEmpty: boolean, blanks: string, earlier: string | null, lastLine: string }} Leaf
 *   isVerbatim: lines are taken as they are until the block ends (fence, formula); isIndented: indented code;
 *   blanks: blank lines that belong to indented code only if more of it follows; earlier and lastLine: the two parts of a
 *   paragraph, because a search in a text that has just grown would copy all of it; earlier is null on the first line
 */

/**
 * @param {LeafBlock} block
 * @param {Fence} [fence] of a code block; code without it is indented
 * @returns {Leaf}
 */
export function openLeaf(block, fence) {
  return {
    block,
    fence: fence ?? null,
    isVerbatim: fence !== undefined || block.type === 'formula',
    isIndented: fence === undefined && block.type === 'code',
    isEmpty: fence !== undefined,
    blanks: '',
    earlier: null,
    lastLine: 'text' in block ? block.text : '',
  };
}

/**
 * Appends a line to a paragraph or a footnote.
 * @param {Leaf} leaf
 * @param {string} line
 */
export function appendText(leaf, line) {
  const { block } = leaf;
  if (!('text' in block)) return;
  leaf.earlier = block.text;
  leaf.lastLine = line;
  block.text += `\n${line}`;
}

/**
 * Appends a line to code or to a formula.
 * @param {Leaf} leaf
 * @param {string} line
 * @returns {{ isOpen: boolean, remainder: string }} isOpen: false at the end of the block; remainder: text after a formula
 */
export function appendLine(leaf, line) {
  const { block, fence } = leaf;
  if (block.type === 'formula') return appendToFormula(block, line);
  if (block.type !== 'code') return { isOpen: false, remainder: line };
  if (fence && closesFence(line, fence.mark)) {
    block.isClosed = true;
    return { isOpen: false, remainder: '' };
  }
  const text = stripIndent(line, fence?.indent ?? 4);
  block.text += leaf.isEmpty ? text : `${leaf.blanks}\n${text}`;
  leaf.isEmpty = false;
  leaf.blanks = '';
  return { isOpen: true, remainder: '' };
}

/**
 * @param {Extract<Block, { type: 'formula' }>} formula
 * @param {string} line
 */
function appendToFormula(formula, line) {
  const text = line.trim();
  if (text === '') return { isOpen: false, remainder: '' };
  const from = formula.text === '' ? 2 : 0;
  const close = text.indexOf(closingOf(formula.text || text), from);
  const rest = close < 0 ? '' : text.slice(close + 2);
  const isAlone = AFTER_FORMULA.test(rest);
  formula.text += (from === 0 ? '\n' : '') + (isAlone ? text : text.slice(0, close + 2));
  formula.isClosed = close >= 0;
  return { isOpen: close < 0, remainder: isAlone ? '' : rest.trim() };
}

/**
 * Appends text to the last line of a leaf.
 * @param {Leaf} leaf
 * @param {string} text
 * @returns {boolean} false: the leaf does not take it
 */
export function extendLeaf(leaf, text) {
  const { block } = leaf;
  if (block.type !== 'table') {
    block.text += leaf.blanks + text;
    leaf.lastLine += text;
    leaf.blanks = '';
    leaf.isEmpty = false;
    return true;
  }
  const row = block.rows.at(-1);
  if (!row || isBlank(text)) return false;
  block.rows[block.rows.length - 1] = [...row.slice(0, -1), `${row.at(-1) ?? ''}${text.trimEnd()}`];
  return true;
}

/**
 * Remembers a leaf.
 * @param {Leaf} leaf
 * @returns {() => void} takes back what has been appended since
 */
export function saveLeaf(leaf) {
  const { block } = leaf;
  const [state, content] = [{ ...leaf }, { ...block }];
  const rowCount = block.type === 'table' ? block.rows.length : 0;
  const lastRow = block.type === 'table' ? block.rows.at(-1) : undefined;
  return () => {
    Object.assign(leaf, state);
    Object.assign(block, content);
    if (block.type !== 'table') return;
    block.rows.length = rowCount;
    if (lastRow) block.rows[rowCount - 1] = lastRow;
  };
}
