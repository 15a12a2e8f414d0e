/** Shows the text of a paragraph, heading or cell. Text that grows keeps the nodes that stay the same. */
import { h } from '../../lib/h.js';
import { parseInline } from './inline.js';
import { createMath } from './math-view.js';

/** @typedef {import('./inline.js').Inline} Inline */

/**
 * Longer texts are shown in parts, each a block of lines: text that is added changes the last part only. Marks do not reach
 * beyond a part.
 */
const MAX_PART_CHARS = 8192;

/**
 * @param {HTMLElement} element to which the text is appended
 * @returns {(text: string) => void} shows another text
 */
export function createInline(element) {
  /** What the closed parts show. */
  let closed = '';
  let showPart = createPart(element);
  return (text) => {
    if (!text.startsWith(closed)) {
      element.replaceChildren();
      closed = '';
      showPart = createPart(element);
    }
    while (text.length - closed.length > MAX_PART_CHARS) {
      const end = partEnd(text, closed.length);
      showPart(text.slice(closed.length, end));
      closed = text.slice(0, end);
      const part = h('span', { class: 'md-part' });
      element.append(part);
      showPart = createPart(part);
    }
    showPart(text.slice(closed.length));
  };
}

/**
 * The end of a part: after a space in its second half.
 * @param {string} text
 * @param {number} from
 */
function partEnd(text, from) {
  const end = from + MAX_PART_CHARS;
  const space = Math.max(text.lastIndexOf(' ', end - 1), text.lastIndexOf('\n', end - 1));
  if (space > from + MAX_PART_CHARS / 2) return space + 1;
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end;
}

/** @typedef {{ node: Inline, key: string, shown: Node }} Entry */

/** @param {HTMLElement} element */
function createPart(element) {
  /** @type {Entry[]} */ const entries = [];
  return (/** @type {string} */ text) => {
    const nodes = parseInline(text);
    let at = 0;
    for (const node of nodes) {
      const entry = entries[at];
      const key = JSON.stringify(node);
      if (!entry || (entry.key !== key && !growText(entry, node))) break;
      Object.assign(entry, { node, key });
      at += 1;
    }
    for (const { shown } of entries.splice(at)) element.removeChild(shown);
    for (const node of nodes.slice(at)) {
      const shown = renderNode(node);
      element.append(shown);
      entries.push({ node, key: JSON.stringify(node), shown });
    }
  };
}

/**
 * Appends to a text that has grown.
 * @param {Entry} entry
 * @param {Inline} node
 * @returns {boolean} false: it is something else now
 */
function growText({ node: before, shown }, node) {
  if (before.type !== 'text' || node.type !== 'text' || !(shown instanceof Text)) return false;
  if (!node.text.startsWith(before.text)) return false;
  shown.appendData(node.text.slice(before.text.length));
  return true;
}

/**
 * @param {Inline} node
 * @returns {Node}
 */
function renderNode(node) {
  switch (node.type) {
    case 'text':
      return document.createTextNode(node.text);
    case 'code':
      return h('code', null, node.text);
    case 'math':
      return createMath(node.text, false);
    case 'note':
      return h('sup', { class: 'md-note' }, node.label);
    case 'br':
      return h('br');
    case 'image':
      if (!node.href) return document.createTextNode(node.source);
      return renderLink(node.href, [document.createTextNode(`Image: ${node.alt || node.href}`)]);
    case 'link':
      return renderLink(node.href, node.children.map(renderNode));
    default:
      return h(node.type, null, node.children.map(renderNode));
  }
}

/**
 * @param {string} href
 * @param {Node[]} children
 */
function renderLink(href, children) {
  return h('a', { href, title: href, target: '_blank', rel: 'noopener noreferrer nofollow' }, children);
}
