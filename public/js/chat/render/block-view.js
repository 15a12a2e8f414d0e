/** Shows blocks of Markdown. Blocks that grow are shown again; the elements of closed blocks are never touched. */
import { h } from '../../lib/h.js';
import { createCode } from './code-view.js';
import { createInline } from './inline-view.js';
import { createMath } from './math-view.js';

/**
 * @typedef {import('./blocks.js').Block} Block
 * @typedef {import('./blocks.js').ListItem} ListItem
 */
/**
 * @template T
 * @typedef {{ element: HTMLElement, update(value: T): boolean }} View update: false if the element cannot show this value
 */

/** An answer is below a heading of level 2, and most answers begin with `##`. */
const HEADINGS = /** @type {const} */ (['h3', 'h3', 'h4', 'h5', 'h6', 'h6']);

/**
 * Shows a list of blocks that grows at its end.
 * @param {HTMLElement} parent
 * @returns {(blocks: readonly Block[]) => void}
 */
export function createBlocks(parent) {
  return createSequence(parent, createBlock);
}

/**
 * Shows values that are equal by identity as long as nothing but their end changes.
 * @template {object} T
 * @param {HTMLElement} parent
 * @param {(value: T) => View<T>} create
 * @returns {(values: readonly T[]) => void}
 */
function createSequence(parent, create) {
  /** @type {{ value: T, view: View<T> }[]} */ const shown = [];
  return (values) => {
    let same = Math.min(shown.length, values.length);
    while (same > 0 && shown[same - 1]?.value !== values[same - 1]) same -= 1;
    // The last of those that stay may have grown.
    const first = Math.max(0, same - 1);
    for (const [index, value] of values.slice(first).entries()) {
      const old = shown[first + index];
      if (old?.view.update(value)) {
        old.value = value;
        continue;
      }
      const view = create(value);
      if (old) old.view.element.replaceWith(view.element);
      else parent.append(view.element);
      shown[first + index] = { value, view };
    }
    for (const { view } of shown.splice(values.length)) view.element.remove();
  };
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

/** @param {import('./blocks.js').List} list @returns {View<Block>} */
function createList(list) {
  const { start } = list;
  const element = start === null ? h('ul') : h('ol', start === 1 ? null : { start });
  const showItems = createSequence(element, createItem);
  /** @param {import('./blocks.js').List} next */
  const show = (next) => {
    element.classList.toggle('is-loose', !next.isTight);
    showItems(next.items);
  };
  show(list);
  return {
    element,
    update(next) {
      if (next.type !== 'list' || next.start !== start) return false;
      show(next);
      return true;
    },
  };
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

/** @param {Extract<Block, { type: 'table' }>} table @returns {View<Block>} */
function createTable({ header, align, rows }) {
  const head = JSON.stringify([header, align]);
  const body = h('tbody');
  const showRows = createSequence(body, (/** @type {string[]} */ cells) => createRow('td', cells, align));
  const element = h(
    'div',
    { class: 'md-table', tabindex: 0, role: 'group', 'aria-label': 'Table' },
    h('table', null, h('thead', null, createRow('th', header, align).element), body),
  );
  showRows(rows);
  return {
    element,
    update(next) {
      if (next.type !== 'table' || JSON.stringify([next.header, next.align]) !== head) return false;
      showRows(next.rows);
      return true;
    },
  };
}

/** @param {'th' | 'td'} tag @param {string[]} cells @param {string[]} align @returns {View<string[]>} */
function createRow(tag, cells, align) {
  const key = JSON.stringify(cells);
  const elements = cells.map((text, column) => {
    const cell = h(tag, align[column] ? { class: `md-${align[column]}` } : null);
    createInline(cell)(text);
    return cell;
  });
  return { element: h('tr', null, elements), update: (next) => JSON.stringify(next) === key };
}
