/** Renders Markdown as DOM nodes. Text never becomes HTML. Nothing is fetched: images become links. */
import { copyButton } from '../../lib/copy.js';
import { h } from '../../lib/h.js';
import { createBlockStream } from './block-stream.js';
import { parseInline } from './inline.js';

/**
 * @typedef {import('./blocks.js').Block} Block
 * @typedef {import('./inline.js').Inline} Inline
 */

const HEADINGS = /** @type {const} */ (['h3', 'h4', 'h5', 'h6', 'h6', 'h6']);
/** After rendering, the next rendering waits this many times as long, so that the page stays responsive. */
const PAUSE_FACTOR = 3;

/**
 * Markdown that grows on the page. Renders at most once per frame, and renders only the last block again.
 * @param {{ onRender?: () => void }} [options] onRender: called after each change of the page
 * @returns {{ element: HTMLElement, append(text: string): void, finish(): void }}
 */
export function createMarkdownView({ onRender } = {}) {
  const element = h('div', { class: 'md' });
  const stream = createBlockStream();
  /** @type {HTMLElement[]} */
  let open = [];
  /** @type {Block | undefined} */
  let lastOpen;
  let frame = 0;
  let pauseUntil = 0;

  /** Replaces the open blocks. @param {Block[]} blocks */
  function replaceOpen(blocks) {
    const [block] = blocks;
    if (blocks.length === 1 && block && growCode(open, lastOpen, block)) {
      lastOpen = block;
      return;
    }
    const fresh = blocks.map(renderBlock);
    for (const node of open) node.remove();
    element.append(...fresh);
    open = fresh;
    lastOpen = blocks.length === 1 ? block : undefined;
  }

  /** @param {number} now */
  function render(now) {
    frame = 0;
    if (now < pauseUntil) {
      schedule();
      return;
    }
    const start = performance.now();
    const taken = stream.take();
    if (taken.settled.length > 0) {
      replaceOpen(taken.settled);
      open = [];
      lastOpen = undefined;
    }
    replaceOpen(taken.open);
    onRender?.();
    const end = performance.now();
    pauseUntil = end + (end - start) * PAUSE_FACTOR;
  }

  function schedule() {
    if (frame === 0) frame = requestAnimationFrame(render);
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
      replaceOpen(stream.end());
      onRender?.();
    },
  };
}

/**
 * A whole text as Markdown.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function renderMarkdown(text) {
  const view = createMarkdownView();
  view.append(text);
  view.finish();
  return view.element;
}

/**
 * Appends to a rendered code block, so that its selection and scroll position stay.
 * @param {HTMLElement[]} rendered
 * @param {Block | undefined} before
 * @param {Block} now
 * @returns {boolean} false: the block must be rendered again
 */
function growCode(rendered, before, now) {
  if (before?.type !== 'code' || now.type !== 'code' || before.info !== now.info) return false;
  const text = rendered.length === 1 ? rendered[0]?.querySelector('code')?.firstChild : null;
  if (!(text instanceof Text) || !now.text.startsWith(before.text)) return false;
  text.appendData(now.text.slice(before.text.length));
  return true;
}

/**
 * @param {Block} block
 * @returns {HTMLElement}
 */
function renderBlock(block) {
  switch (block.type) {
    case 'heading':
      return h(HEADINGS[block.level - 1] ?? 'h6', null, renderInline(block.text));
    case 'paragraph':
      return h('p', null, renderInline(block.text));
    case 'code':
      return renderCode(block.text, block.info);
    case 'quote':
      return h('blockquote', null, block.blocks.map(renderBlock));
    case 'list':
      return renderList(block);
    case 'table':
      return renderTable(block);
    case 'rule':
      return h('hr');
  }
}

/**
 * A code block with its language and a copy button.
 * @param {string} text
 * @param {string} info the text after the opening fence
 */
export function renderCode(text, info) {
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
function renderList(list) {
  const items = list.items.map(({ blocks, isChecked }) => {
    const content = blocks.flatMap((block) =>
      list.isTight && block.type === 'paragraph' ? renderInline(block.text) : [renderBlock(block)],
    );
    if (isChecked === null) return h('li', null, content);
    const box = h('input', { type: 'checkbox', disabled: true, checked: isChecked, 'aria-label': 'Task' });
    return h('li', { class: 'md-task' }, box, h('div', null, content));
  });
  if (list.start === null) return h('ul', null, items);
  return h('ol', list.start === 1 ? null : { start: list.start }, items);
}

/** @param {Extract<Block, { type: 'table' }>} table */
function renderTable(table) {
  /** @param {'th' | 'td'} tag */
  const renderCell = (tag) => (/** @type {string} */ text, /** @type {number} */ column) => {
    const align = table.align[column];
    return h(tag, align ? { class: `md-${align}` } : null, renderInline(text));
  };
  const head = h('thead', null, h('tr', null, table.header.map(renderCell('th'))));
  const rows = table.rows.map((row) => h('tr', null, row.map(renderCell('td'))));
  const element = h('table', null, head, h('tbody', null, rows));
  return h('div', { class: 'md-table', tabindex: 0, role: 'group', 'aria-label': 'Table' }, element);
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function renderInline(text) {
  return parseInline(text).map(renderNode);
}

/**
 * @param {Inline} node
 * @returns {Node | string}
 */
function renderNode(node) {
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
      return node.href ? renderLink(node.href, [`Image: ${node.alt || node.href}`]) : node.source;
    case 'link':
      return renderLink(node.href, node.children.map(renderNode));
    default:
      return h(node.type, null, node.children.map(renderNode));
  }
}

/**
 * @param {string} href
 * @param {(Node | string)[]} children
 */
function renderLink(href, children) {
  return h('a', { href, title: href, target: '_blank', rel: 'noopener noreferrer' }, children);
}
