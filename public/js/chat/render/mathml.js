/** Draws formulas as MathML (MathML Core). */
import { parseTex } from './tex.js';

/** @typedef {import('./tex-nodes.js').Tex} Tex */

const NAMESPACE = 'http://www.w3.org/1998/Math/MathML';

/**
 * @param {string} tex without delimiters
 * @param {{ isBlock: boolean, source: string }} options source: read aloud where MathML is not known
 * @returns {Element | null} null for a formula that is not understood
 */
export function toMathml(tex, { isBlock, source }) {
  const tree = parseTex(tex);
  if (!tree) return null;
  const display = isBlock ? 'block' : 'inline';
  return element('math', { display, alttext: source }, [draw(tree, isBlock)]);
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {(Element | string)[]} children
 */
function element(name, attributes, children) {
  const node = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/**
 * @param {Tex} tex
 * @param {boolean} isBlock
 * @returns {Element}
 */
function draw(tex, isBlock) {
  const drawn = (/** @type {Tex} */ part) => draw(part, isBlock);
  switch (tex.type) {
    case 'row':
      return tex.children.length === 1 && tex.children[0]
        ? drawn(tex.children[0])
        : element('mrow', {}, tex.children.map(drawn));
    case 'frac':
      return element('mfrac', tex.hasLine ? {} : { linethickness: '0' }, [drawn(tex.top), drawn(tex.bottom)]);
    case 'sqrt':
      return tex.index
        ? element('mroot', {}, [drawn(tex.body), drawn(tex.index)])
        : element('msqrt', {}, [drawn(tex.body)]);
    case 'script':
      return drawScript(tex, isBlock);
    case 'accent': {
      const mark = element('mo', { stretchy: String(/[⏞⏟¯_→←^~]/.test(tex.mark)) }, [tex.mark]);
      const name = tex.isBelow ? 'munder' : 'mover';
      return element(name, { [tex.isBelow ? 'accentunder' : 'accent']: 'true' }, [drawn(tex.base), mark]);
    }
    case 'space':
      return element('mspace', { width: `${tex.em}em` }, []);
    case 'box':
      return element('mrow', { class: 'md-math-box' }, [drawn(tex.body)]);
    case 'table':
      return drawTable(tex, isBlock);
    default:
      return drawSymbol(tex);
  }
}

/** @param {Extract<Tex, { text: string }>} symbol */
function drawSymbol({ type, text, isUpright, isStretchy }) {
  /** @type {Record<string, string>} */ const attributes = {};
  if (isUpright && [...text].length === 1) attributes['mathvariant'] = 'normal';
  if (isStretchy !== undefined) attributes['stretchy'] = String(isStretchy);
  return element(type, attributes, [text]);
}

/** @param {Extract<Tex, { type: 'script' }>} script @param {boolean} isBlock */
function drawScript({ base, sub, sup, limits }, isBlock) {
  const isStacked = limits === 'always' || (limits === 'display' && isBlock);
  const parts = [base, sub, sup].filter((part) => part !== null).map((part) => draw(part, isBlock));
  if (sub && sup) return element(isStacked ? 'munderover' : 'msubsup', {}, parts);
  if (sub) return element(isStacked ? 'munder' : 'msub', {}, parts);
  return element(isStacked ? 'mover' : 'msup', {}, parts);
}

/** @param {Extract<Tex, { type: 'table' }>} table @param {boolean} isBlock */
function drawTable({ rows, isAligned, isLeft }, isBlock) {
  const kind = isAligned ? 'is-aligned' : isLeft ? 'is-left' : '';
  const lines = rows.map((cells) =>
    element(
      'mtr',
      {},
      cells.map((cell) => element('mtd', {}, [draw(cell, isBlock)])),
    ),
  );
  return element(
    'mtable',
    { class: `md-math-table ${kind}`.trim(), ...(isAligned && { displaystyle: 'true' }) },
    lines,
  );
}
