/** Builds DOM nodes. Strings become text nodes, never HTML. */

/** @typedef {Node | string | number | false | null | undefined | readonly (Node | string | null | false)[]} Child */
/** @typedef {{ [K in keyof GlobalEventHandlersEventMap as `on${K}`]?: (event: GlobalEventHandlersEventMap[K]) => unknown }} Handlers */
/** @typedef {string | number | boolean | null | undefined} Value */
/**
 * @typedef {{
 *   class?: Value, id?: Value, for?: Value, type?: Value, name?: Value, value?: Value, href?: string, src?: string,
 *   title?: Value, role?: Value, tabindex?: Value, placeholder?: Value, autocomplete?: Value, hidden?: Value,
 *   disabled?: Value, checked?: Value, selected?: Value, required?: Value, readonly?: Value, autofocus?: Value,
 *   multiple?: Value, open?: Value, alt?: Value, width?: Value, height?: Value, min?: Value, max?: Value, step?: Value,
 *   minlength?: Value, maxlength?: Value, pattern?: Value, inputmode?: Value, spellcheck?: Value, rows?: Value,
 *   accept?: Value, download?: Value, target?: Value, rel?: Value, scope?: Value, colspan?: Value, method?: Value,
 *   popover?: Value, datetime?: Value, lang?: Value, enterkeyhint?: Value, novalidate?: Value, loading?: Value,
 *   autocapitalize?: Value, label?: Value, start?: Value, controls?: Value,
 *   [attribute: `aria-${string}` | `data-${string}`]: Value,
 * } & Handlers} Props
 */

const SVG = 'http://www.w3.org/2000/svg';
const REFUSED = /^(innerhtml|outerhtml|srcdoc|style)$/i;
/** Set as properties: as attributes they would only be initial values. */
const PROPERTIES = new Set(['value', 'checked', 'selected', 'indeterminate']);
const URL_ATTRIBUTES = new Set(['href', 'src', 'action', 'formaction']);

/**
 * Creates an element. Strings become text nodes; null, undefined and false are skipped; handlers are functions.
 * @example h('button', { class: 'btn', onclick: save }, 'Save')
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 * @throws {TypeError} for a name or an address that could run code
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  append(element, children);
  return element;
}

/**
 * Creates an SVG element. Strings become text nodes.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(SVGElement | string)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    refuseUnsafe(name, value);
    element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * True for addresses that a link may open: http, https, mailto and blob, or a path of this site.
 * @param {string} url
 */
function isSafeUrl(url) {
  if (!URL.canParse(url, location.href)) return false;
  return /^(https?|mailto|blob):$/.test(new URL(url, location.href).protocol);
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {unknown} value
 */
function setProp(element, name, value) {
  if (name.startsWith('on')) {
    if (value === undefined || value === null) return;
    if (typeof value !== 'function') throw new TypeError(`${name} must be a function`);
    element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    return;
  }
  refuseUnsafe(name, value);
  if (PROPERTIES.has(name)) {
    if (value !== undefined && value !== null) Reflect.set(element, name, value);
  } else if (value === true && !name.startsWith('aria-')) {
    element.setAttribute(name, '');
  } else if (value !== undefined && value !== null && (value !== false || name.startsWith('aria-'))) {
    element.setAttribute(name, String(value));
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function refuseUnsafe(name, value) {
  if (REFUSED.test(name) || /^on/i.test(name)) throw new TypeError(`${name} is not allowed`);
  if (typeof value !== 'string' || !URL_ATTRIBUTES.has(name.toLowerCase()) || isSafeUrl(value)) return;
  if (name === 'src' && /^data:image\/(png|jpeg|webp|gif);base64,/.test(value)) return;
  throw new TypeError(`unsafe ${name}`);
}

/**
 * @param {Node} parent
 * @param {readonly Child[]} children
 */
function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}
