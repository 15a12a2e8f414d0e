/** Shows formulas: their source first, and MathML once the module for it is loaded. */
import { h } from '../../lib/h.js';

const DELIMITERS = /^(\$\$|\\\[|\\\(|\$)([\s\S]*?)(?:\$\$|\\\]|\\\)|\$)([.,;:]?)\s*$/;

/** @type {typeof import('./mathml.js') | null} */
let loaded = null;

/**
 * @param {string} source with its delimiters
 * @param {boolean} isBlock
 * @returns {HTMLElement} shows the source if it is not a formula that can be drawn
 */
export function createMath(source, isBlock) {
  const element = isBlock
    ? h('div', { class: 'md-math is-block', tabindex: 0, role: 'group', 'aria-label': 'Formula' })
    : h('span', { class: 'md-math' });
  if (loaded) draw(loaded);
  else {
    element.append(h('code', null, source));
    // Without the module, after a lost connection for example, the source stays.
    import('./mathml.js').then(draw, () => {});
  }

  /** @param {typeof import('./mathml.js')} module */
  function draw(module) {
    loaded = module;
    const [, open = '', tex = '', mark = ''] = DELIMITERS.exec(source) ?? [];
    const math =
      tex === '' ? null : module.toMathml(tex, { isBlock: open === '$$' || open === '\\[', source });
    element.replaceChildren(math ?? h('code', null, source), math ? mark : '');
  }

  return element;
}
