/** Markdown as DOM nodes. Nothing in a text becomes HTML, and nothing is fetched: images are shown as links. */
import { copyButton } from './copy.js';
import { h } from './h.js';
import { parseInline } from './markdown-inline.js';
import { createBlockStream } from './markdown-stream.js';

/**
 * @typedef {import('./markdown-blocks.js').Block} Block
 * @typedef {import('./markdown-inline.js').Inline} Inline
 */

const HEADINGS = /** @type {const} */ (['h3', 'h4', 'h5', 'h6', 'h6', 'h6']);
/** Drawing may take this share of the time at most: after a slow one, the next waits that many times as long. */
const REST_PER_WORK = 3;

/**
 * A text that grows on the page: at most once a frame, and only its last block is drawn again.
 * @param {{ onDraw?: () => void }} [options] onDraw: after each change of the page
 * @returns {{ element: HTMLElement, append(text: string): void, finish(): void }}
 */
export function createMarkdownView({ onDraw } = {}) {
  const element = h('div', { class: 'md' });
  const stream = createBlockStream();
  /** @type {HTMLElement[]} */
  let open = [];
  /** @type {Block | undefined} */
  let lastOpen;
  let frame = 0;
  let restUntil = 0;

  /** @param {Block[]} blocks */
  function redraw(blocks) {
    const [block] = blocks;
    if (blocks.length === 1 && block && growCode(open, lastOpen, block)) {
      lastOpen = block;
      return;
    }
    const fresh = blocks.map(drawBlock);
    for (const node of open) node.remove();
    element.append(...fresh);
    open = fresh;
    lastOpen = blocks.length === 1 ? block : undefined;
  }

  /** @param {number} now */
  function draw(now) {
    frame = 0;
    if (now < restUntil) {
      schedule();
      return;
    }
    const start = performance.now();
    const taken = stream.take();
    if (taken.settled.length > 0) {
      redraw(taken.settled);
      open = [];
      lastOpen = undefined;
    }
    redraw(taken.open);
    onDraw?.();
    const end = performance.now();
    restUntil = end + (end - start) * REST_PER_WORK;
  }

  function schedule() {
    if (frame === 0) frame = requestAnimationFrame(draw);
  }

  return {
    element,
    append(text) {
      stream.push(text);
      schedule();
    },
    finish() {
      cancelAnimationFrame(frame);
      frame = 0;
      redraw(stream.end());
      onDraw?.();
    },
  };
}

/**
 * Adds to a code block that stands already, so that a selection in it and its scrolling stay.
 * @param {HTMLElement[]} drawn
 * @param {Block | undefined} before
 * @param {Block} now
 */
function growCode(drawn, before, now) {
  if (before?.type !== 'code' || now.type !== 'code' || before.info !== now.info) return false;
  const text = drawn.length === 1 ? drawn[0]?.querySelector('code')?.firstChild : null;
  if (!(text instanceof Text) || !now.text.startsWith(before.text)) return false;
  text.appendData(now.text.slice(before.text.length));
  return true;
}

/**
 * @param {Block} block
 * @returns {HTMLElement}
 */
function drawBlock(block) {
  switch (block.type) {
    case 'heading':
      return h(HEADINGS[block.level - 1] ?? 'h6', null, drawInline(block.text));
    case 'paragraph':
      return h('p', null, drawInline(block.text));
    case 'code':
      return drawCode(block.text, block.info);
    case 'quote':
      return h('blockquote', null, block.blocks.map(drawBlock));
    case 'list':
      return drawList(block);
    case 'table':
      return drawTable(block);
    case 'rule':
      return h('hr');
  }
}

/**
 * A code block with its language and a copy button.
 * @param {string} text
 * @param {string} info what stood behind the fence
 */
export function drawCode(text, info) {
  const code = h('code', null, document.createTextNode(text));
  const pre = h('pre', { tabindex: 0, role: 'group', 'aria-label': info ? `Code, ${info}` : 'Code' }, code);
  const copy = copyButton(() => code.textContent ?? '', pre, { label: 'Copy code' });
  return h(
    'div',
    { class: 'md-code' },
    h('div', { class: 'md-code-head' }, h('span', { class: 'truncate' }, info || 'text'), copy),
    pre,
  );
}

/** @param {Extract<Block, { type: 'list' }>} list */
function drawList(list) {
  const items = list.items.map(({ blocks, isChecked }) => {
    const content = blocks.flatMap((block) =>
      list.isTight && block.type === 'paragraph' ? drawInline(block.text) : [drawBlock(block)],
    );
    if (isChecked === null) return h('li', null, content);
    const box = h('input', { type: 'checkbox', disabled: true, checked: isChecked, 'aria-label': 'Task' });
    return h('li', { class: 'md-task' }, box, h('div', null, content));
  });
  if (list.start === null) return h('ul', null, items);
  return h('ol', list.start === 1 ? null : { start: list.start }, items);
}

/** @param {Extract<Block, { type: 'table' }>} table */
function drawTable(table) {
  /** @param {'th' | 'td'} tag */
  const drawCell = (tag) => (/** @type {string} */ text, /** @type {number} */ column) => {
    const align = table.align[column];
    return h(tag, align ? { class: `md-${align}` } : null, drawInline(text));
  };
  const head = h('thead', null, h('tr', null, table.header.map(drawCell('th'))));
  const rows = table.rows.map((row) => h('tr', null, row.map(drawCell('td'))));
  const element = h('table', null, head, h('tbody', null, rows));
  return h('div', { class: 'md-table', tabindex: 0, role: 'group', 'aria-label': 'Table' }, element);
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function drawInline(text) {
  return parseInline(text).map(drawNode);
}

/**
 * @param {Inline} node
 * @returns {Node | string}
 */
function drawNode(node) {
  switch (node.type) {
    case 'text':
      return node.text;
    case 'code':
      return h('code', null, node.text);
    case 'math':
      return h('code', { class: 'md-math' }, node.text);
    case 'br':
      return h('br');
    case 'image':
      return node.href ? drawLink(node.href, [`Image: ${node.alt || node.href}`]) : node.source;
    case 'link':
      return drawLink(node.href, node.children.map(drawNode));
    default:
      return h(node.type, null, node.children.map(drawNode));
  }
}

/**
 * @param {string} href
 * @param {(Node | string)[]} children
 */
function drawLink(href, children) {
  return h('a', { href, title: href, target: '_blank', rel: 'noopener noreferrer' }, children);
}
