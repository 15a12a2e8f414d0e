/** The tree of a formula, and the parts of it that several commands make. */
import { ALPHABETS } from './tex-symbols.js';

/**
 * @typedef {{ type: 'mi' | 'mn' | 'mo' | 'mtext', text: string, isUpright?: boolean, isStretchy?: boolean, limits?: 'display' | 'always' }} Symbol
 *   limits: its scripts stand above and below, always or in displayed formulas only
 * @typedef {Symbol | { type: 'row', children: Tex[] } | { type: 'frac', top: Tex, bottom: Tex, hasLine: boolean }
 *   | { type: 'sqrt', body: Tex, index: Tex | null }
 *   | { type: 'script', base: Tex, sub: Tex | null, sup: Tex | null, limits: 'display' | 'always' | 'never' }
 *   | { type: 'accent', base: Tex, mark: string, isBelow: boolean } | { type: 'space', em: number }
 *   | { type: 'box', body: Tex } | { type: 'table', rows: Tex[][], isAligned: boolean, isLeft: boolean }} Tex
 */

/**
 * The name of a function, upright.
 * @param {string} text @param {boolean} hasLimits @returns {Tex}
 */
export function functionName(text, hasLimits) {
  const spaced = text.replace(/^(lim)(inf|sup)$/, '$1 $2');
  /** @type {Symbol} */ const name = { type: 'mi', text: spaced, isUpright: true };
  return hasLimits ? { ...name, limits: 'display' } : name;
}

/**
 * A part of a formula between delimiters, '' for none.
 * @param {string} open @param {Tex} body @param {string} close @returns {Tex}
 */
export function fenced(open, body, close) {
  /** @param {string} text @returns {Tex[]} */
  const fence = (text) => (text === '' ? [] : [{ type: 'mo', text, isStretchy: true }]);
  return { type: 'row', children: [...fence(open), body, ...fence(close)] };
}

/**
 * The same with letters of another alphabet.
 * @param {Tex} tex @param {string} name of the command @returns {Tex}
 */
export function inAlphabet(tex, name) {
  if (tex.type === 'row')
    return { type: 'row', children: tex.children.map((child) => inAlphabet(child, name)) };
  if (tex.type !== 'mi' && tex.type !== 'mn') return tex;
  return { ...tex, text: [...tex.text].map((letter) => toAlphabet(letter, name)).join('') };
}

/** @param {string} letter @param {string} name */
function toAlphabet(letter, name) {
  const alphabet = ALPHABETS.get(name);
  if (!alphabet) return letter;
  const other = [...alphabet.others];
  const at = other.indexOf(letter);
  if (at >= 0 && at % 2 === 0) return other[at + 1] ?? letter;
  const code = letter.charCodeAt(0);
  if (/^[A-Z]$/.test(letter)) return String.fromCodePoint(alphabet.upper + code - 65);
  if (/^[a-z]$/.test(letter) && alphabet.lower) return String.fromCodePoint(alphabet.lower + code - 97);
  return /^\d$/.test(letter) && alphabet.digit ? String.fromCodePoint(alphabet.digit + code - 48) : letter;
}
