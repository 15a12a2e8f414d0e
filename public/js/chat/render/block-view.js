/** Shows blocks of Markdown. Blocks that grow are shown again; the elements of closed blocks are never touched. */
import { h } from '../../lib/h.js';
import { createCode } from './code-view.js';
import { createInline } from './inline-view.js';
import { createMath } from './math-view.js';
import { createParts, createSequence } from './sequence.js';
import { createTable } from './table-view.js';

/**
 * @typedef {import('./blocks.js').Block} Block
 * @typedef {import('./blocks.js').ListItem} ListItem
 */
/**
 * @template T
 * @typedef {import('./sequence.js').View<T>} View
 */

const BLOCKS_PER_PART = 16;
const PARTS_PER_GROUP = 16;
const ITEMS_PER_PART = 40;

/** An answer is below a heading of level 2, and most answers begin with `##`. */
const HEADINGS = /** @type {const} */ (['h3', 'h3', 'h4', 'h5', 'h6', 'h6']);

/**
 * Shows the blocks of an answer, which grow at their end. Its parts are in groups: in each frame the browser checks every part
 * outside a hidden group for whether it has come into view.
 * @param {HTMLElement} parent
 * @returns {(blocks: readonly Block[]) => void}
 */
export function createAnswerBlocks(parent) {
  const groups = createParts({ size: BLOCKS_PER_PART * PARTS_PER_GROUP, add: () => addBox(parent) });
  const parts = createParts({ size: BLOCKS_PER_PART, add: (index) => addBox(groups.of(index)) });
  const show = createSequence(parts, createBlock);
  return (blocks) => {
    show(blocks);
    groups.trim(blocks.length);
  };
}

/**
 * Shows the blocks of a quote or an item. The first ones need no part of their own.
 * @param {HTMLElement} parent
 * @returns {(blocks: readonly Block[]) => void}
 */
function createBlocks(parent) {
  const parts = createParts({ size: BLOCKS_PER_PART, first: parent, add: () => addBox(parent) });
  return createSequence(parts, createBlock);
}

/** @param {HTMLElement} parent */
function addBox(parent) {
  const box = h('div', { class: 'md-blocks' });
  parent.append(box);
  return box;
}

/**
 * @param {Block} block
 * @returns {View<Block>}
 */
function createBlock(block) {
  switch (block.type) {
    case 'heading':
      return createText(h(HEADINGS[block.level - 1] ?? 'h6'), block);
    case 'paragraph':
      return createText(h('p'), block);
    case 'footnote': {
      const text = h('span');
      const element = h('p', { class: 'md-footnote' }, h('sup', null, block.label), ' ', text);
      return { ...createText(text, block), element };
    }
    case 'code':
      return createCodeBlock(block);
    case 'formula':
      return createFormula(block);
    case 'quote': {
      const element = h('blockquote');
      return createParent(element, block, createBlocks(element));
    }
    case 'list':
      return createList(block);
    case 'table':
      return createTable(block);
    case 'rule':
      return { element: h('hr'), update: (next) => next.type === 'rule' };
  }
}

/**
 * @param {HTMLElement} element
 * @param {Extract<Block, { text: string }>} block
 * @returns {View<Block>}
 */
function createText(element, block) {
  const show = createInline(element);
  const kind = kindOf(block);
  show(block.text);
  return {
    element,
    update(next) {
      if (!('text' in next) || kindOf(next) !== kind) return false;
      show(next.text);
      return true;
    },
  };
}

/** What must stay the same while an element shows a block. @param {Block} block */
function kindOf(block) {
  const { type } = block;
  return type === 'heading' ? `h${block.level}` : type === 'footnote' ? `note ${block.label}` : type;
}

/** @param {Extract<Block, { type: 'code' }>} block @returns {View<Block>} */
function createCodeBlock(block) {
  const code = createCode(block.info);
  code.update(block.text);
  return {
    element: code.element,
    update(next) {
      if (next.type !== 'code' || next.info !== block.info) return false;
      code.update(next.text);
      return true;
    },
  };
}

/** @param {Extract<Block, { type: 'formula' }>} block @returns {View<Block>} */
function createFormula({ text, isClosed }) {
  if (isClosed)
    return {
      element: createMath(text, true),
      update: (next) => next.type === 'formula' && next.isClosed && next.text === text,
    };
  const source = document.createTextNode(text);
  return {
    element: h('p', { class: 'md-math' }, h('code', null, source)),
    update(next) {
      if (next.type !== 'formula' || next.isClosed || !next.text.startsWith(source.data)) return false;
      source.appendData(next.text.slice(source.length));
      return true;
    },
  };
}

/**
 * @param {HTMLElement} element
 * @param {Extract<Block, { type: 'quote' }>} block
 * @param {(blocks: readonly Block[]) => void} show
 * @returns {View<Block>}
 */
function createParent(element, block, show) {
  show(block.blocks);
  return {
    element,
    update(next) {
      if (next.type !== 'quote') return false;
      show(next.blocks);
      return true;
    },
  };
}

/** A long list is several lists, one below the other. @param {import('./blocks.js').List} list @returns {View<Block>} */
function createList(list) {
  const { start } = list;
  const first = createListElement(start);
  /** @type {HTMLElement} */
  let element = first;
  const parts = createParts({
    size: ITEMS_PER_PART,
    first,
    add(index) {
      if (element === first) {
        element = h('div', { class: 'md-list' });
        first.replaceWith(element);
        element.append(first);
      }
      const part = createListElement(start === null ? null : start + index);
      element.append(part);
      return part;
    },
  });
  const showItems = createSequence(parts, createItem);
  /** @param {import('./blocks.js').List} next */
  const show = (next) => {
    showItems(next.items);
    if (parts.all().length === 1 && element !== first) {
      element.replaceWith(first);
      element = first;
    }
    for (const part of parts.all()) part.classList.toggle('is-loose', !next.isTight);
  };
  show(list);
  return {
    get element() {
      return element;
    },
    update(next) {
      if (next.type !== 'list' || next.start !== start) return false;
      show(next);
      return true;
    },
  };
}

/** @param {number | null} start null: without numbers */
function createListElement(start) {
  return start === null ? h('ul') : h('ol', start === 1 ? null : { start });
}

/** @param {ListItem} item @returns {View<ListItem>} */
function createItem({ blocks, isChecked }) {
  const element = h('li');
  let parent = /** @type {HTMLElement} */ (element);
  if (isChecked !== null) {
    parent = h('div');
    element.classList.add('md-task');
    const box = { type: 'checkbox', disabled: true, checked: isChecked, 'aria-label': 'Task' };
    element.append(h('input', box), parent);
  }
  const show = createBlocks(parent);
  show(blocks);
  return {
    element,
    update(next) {
      if (next.isChecked !== isChecked) return false;
      show(next.blocks);
      return true;
    },
  };
}
