/**
 * Parses the common part of TeX's formulas into a tree. Each character is read once, and the depth is bounded. What is not
 * known makes the whole formula unknown, so that no formula is shown wrong. Has no DOM.
 */
import { fenced, functionName, inAlphabet } from './tex-nodes.js';
import { COMMAND, GROUP_TEXT, NUMBER, TexReader } from './tex-reader.js';
import {
  ACCENTS,
  ALPHABETS,
  ENVIRONMENTS,
  FENCES,
  FUNCTIONS,
  IDENTIFIERS,
  IGNORED,
  INTEGRALS,
  LARGE,
  LIMIT_FUNCTIONS,
  OPERATOR_SIGNS,
  OPERATORS,
  SIZES,
  SPACES,
  TEXTS,
} from './tex-symbols.js';

/** @typedef {import('./tex-nodes.js').Tex} Tex */

const MAX_CHARS = 4000;
const MAX_DEPTH = 24;

/** Thrown and caught here: the formula has something that is not known. */
class Unknown extends Error {}

/**
 * @param {string} source without delimiters
 * @returns {Tex | null} null if it cannot be shown
 */
export function parseTex(source) {
  if (source.length > MAX_CHARS) return null;
  try {
    return new Parser(source).cells('');
  } catch (error) {
    if (error instanceof Unknown) return null;
    throw error;
  }
}

class Parser {
  #reader;
  #depth = 0;

  /** @param {string} text */
  constructor(text) {
    this.#reader = new TexReader(text);
  }

  /** @template T @param {() => T} parse @returns {T} */
  #nested(parse) {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Unknown();
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  /**
   * Rows of cells up to the end of an environment, or the whole formula.
   * @param {string} environment '' for the whole formula
   * @returns {Tex} a table, or its only cell
   */
  cells(environment) {
    /** @type {Tex[][]} */ const rows = [[]];
    for (;;) {
      rows.at(-1)?.push(this.#row());
      const command = this.#reader.command();
      if (this.#reader.peek() === '&') this.#reader.skip(1);
      else if (command === '\\' || command === 'cr') {
        this.#reader.match(COMMAND);
        this.#reader.match(/\[[^\]]{0,20}\]/y);
        rows.push([]);
      } else if (environment !== '' && command === 'end') {
        this.#reader.match(COMMAND);
        if (this.#reader.match(GROUP_TEXT)?.[1] !== environment) throw new Unknown();
        break;
      } else if (environment === '' && this.#reader.peek() === '') break;
      else throw new Unknown();
    }
    const last = rows.at(-1);
    const isBlank = last?.length === 1 && last[0]?.type === 'row' && last[0].children.length === 0;
    if (isBlank && rows.length > 1) rows.pop();
    const [only] = rows[0] ?? [];
    if (environment === '' && rows.length === 1 && rows[0]?.length === 1 && only) return only;
    const isAligned = environment === '' || /^(align|split|equation)/.test(environment);
    return { type: 'table', rows, isAligned, isLeft: environment === 'cases' };
  }

  /** @returns {Tex} everything up to a closing mark */
  #row() {
    return this.#nested(() => {
      /** @type {Tex[]} */ const children = [];
      for (;;) {
        const next = this.#reader.peek();
        if (next === '' || next === '}' || next === '&') break;
        if (/^(\\|cr|end|right)$/.test(this.#reader.command())) break;
        const atom = this.#atom();
        if (atom) children.push(this.#withScripts(atom));
      }
      return { type: 'row', children };
    });
  }

  /** @param {Tex} base @returns {Tex} */
  #withScripts(base) {
    /** @type {Tex | null} */ let sub = null;
    /** @type {Tex | null} */ let sup = null;
    /** @type {'display' | 'always' | 'never'} */ let limits = ('limits' in base && base.limits) || 'never';
    if (base.type === 'accent' && /[⏞⏟]/.test(base.mark)) limits = 'always';
    for (;;) {
      const next = this.#reader.peek();
      const command = this.#reader.command();
      if (command === 'limits' || command === 'nolimits') {
        this.#reader.match(COMMAND);
        limits = command === 'limits' ? 'always' : 'never';
      } else if (next === "'") {
        const primes = this.#reader.match(/'+/y)?.[0].length ?? 0;
        /** @type {Tex} */ const mark = { type: 'mo', text: '′'.repeat(primes) };
        const power = this.#reader.peek() === '^' ? this.#script() : null;
        if (sup) throw new Unknown();
        sup = power ? { type: 'row', children: [mark, power] } : mark;
      } else if (next === '^' && !sup) sup = this.#script();
      else if (next === '_' && !sub) sub = this.#script();
      else if (next === '^' || next === '_') throw new Unknown();
      else break;
    }
    return sub || sup ? { type: 'script', base, sub, sup, limits } : base;
  }

  #script() {
    this.#reader.skip(1);
    return this.#argument();
  }

  /** @returns {Tex} a group, or one symbol */
  #argument() {
    return this.#nested(() => {
      const next = this.#reader.peek();
      if (next === '' || next === '}' || next === '&' || next === '^' || next === '_') throw new Unknown();
      const digit = /\d/.test(next) ? next : '';
      if (digit !== '') {
        this.#reader.skip(1);
        return { type: 'mn', text: digit };
      }
      const atom = this.#atom();
      if (!atom) throw new Unknown();
      return atom;
    });
  }

  /** @returns {Tex | null} null for a command without a symbol */
  #atom() {
    const next = this.#reader.peek();
    if (next === '\\') return this.#named();
    if (next === '{') {
      this.#reader.skip(1);
      const row = this.#row();
      if (this.#reader.peek() !== '}') throw new Unknown();
      this.#reader.skip(1);
      return row;
    }
    const number = this.#reader.match(NUMBER);
    if (number) return { type: 'mn', text: number[0] };
    const character = this.#reader.character();
    if (/[$#^_]/.test(character)) {
      // A script without a base.
      if (character === '^' || character === '_') return { type: 'row', children: [] };
      throw new Unknown();
    }
    this.#reader.skip(character.length);
    if (character === '~') return { type: 'space', em: 0.333 };
    if (/\p{L}/u.test(character)) return { type: 'mi', text: character };
    return { type: 'mo', text: OPERATOR_SIGNS.get(character) ?? character, isStretchy: false };
  }

  /** @returns {Tex | null} */
  #named() {
    const name = this.#reader.match(COMMAND)?.[1] ?? '';
    const letter = IDENTIFIERS.get(name);
    if (letter) return { type: 'mi', text: letter };
    const operator = OPERATORS.get(name) ?? FENCES.get(name);
    if (operator) return { type: 'mo', text: operator, isStretchy: false };
    const large = LARGE.get(name);
    if (large)
      return INTEGRALS.has(name)
        ? { type: 'mo', text: large }
        : { type: 'mo', text: large, limits: 'display' };
    if (FUNCTIONS.has(name)) return functionName(name, LIMIT_FUNCTIONS.has(name));
    const em = SPACES.get(name);
    if (em !== undefined) return { type: 'space', em };
    const mark = ACCENTS.get(name);
    if (mark) return { type: 'accent', base: this.#argument(), mark, isBelow: name.startsWith('under') };
    if (ALPHABETS.has(name)) return inAlphabet(this.#argument(), name);
    if (TEXTS.has(name)) return this.#words(name);
    if (SIZES.test(name) || IGNORED.has(name)) return null;
    if (/^[%&#$_]$/.test(name)) return { type: 'mo', text: name, isStretchy: false };
    return this.#construct(name);
  }

  /** @param {string} name @returns {Tex} */
  #words(name) {
    const text = this.#reader.match(GROUP_TEXT)?.[1];
    if (text === undefined) throw new Unknown();
    if (name.startsWith('operatorname')) return functionName(text, name.endsWith('*'));
    if (name === 'mathrm') return { type: 'mi', text: text.trim(), isUpright: true };
    return { type: 'mtext', text: text.replaceAll('$', '').replace(/^ | $/g, '\u00a0') };
  }

  /** @param {string} name @returns {Tex} */
  #construct(name) {
    switch (name) {
      case 'frac':
      case 'dfrac':
      case 'tfrac':
      case 'cfrac':
        return { type: 'frac', top: this.#argument(), bottom: this.#argument(), hasLine: true };
      case 'binom':
      case 'dbinom':
        return fenced(
          '(',
          { type: 'frac', top: this.#argument(), bottom: this.#argument(), hasLine: false },
          ')',
        );
      case 'sqrt': {
        const index = this.#reader.peek() === '[' ? this.#reader.match(/\[([^\]\\{}]{0,20})\]/y)?.[1] : '';
        return { type: 'sqrt', body: this.#argument(), index: index ? { type: 'mi', text: index } : null };
      }
      case 'left':
        return this.#leftRight();
      case 'begin':
        return this.#environment();
      case 'overset':
      case 'stackrel': {
        const sup = this.#argument();
        return { type: 'script', base: this.#argument(), sub: null, sup, limits: 'always' };
      }
      case 'underset': {
        const sub = this.#argument();
        return { type: 'script', base: this.#argument(), sub, sup: null, limits: 'always' };
      }
      case 'boxed':
        return { type: 'box', body: this.#argument() };
      case 'bmod':
        return { type: 'mo', text: 'mod' };
      case 'pmod':
        return fenced('(', { type: 'row', children: [functionName('mod', false), this.#argument()] }, ')');
      case 'not': {
        const base = this.#argument();
        if (base.type !== 'mo') throw new Unknown();
        return { ...base, text: `${base.text}\u0338`.normalize('NFC') };
      }
      case 'tag':
        return { type: 'mtext', text: `\u2003(${this.#reader.match(GROUP_TEXT)?.[1] ?? ''})` };
      default:
        throw new Unknown();
    }
  }

  #leftRight() {
    const open = this.#delimiter();
    const body = this.#row();
    if (this.#reader.command() !== 'right') throw new Unknown();
    this.#reader.match(COMMAND);
    return fenced(open, body, this.#delimiter());
  }

  /** @returns {string} '' for none */
  #delimiter() {
    const next = this.#reader.peek();
    if (next === '\\') {
      const fence = FENCES.get(this.#reader.match(COMMAND)?.[1] ?? '');
      if (!fence) throw new Unknown();
      return fence;
    }
    if (!/[()[\]|/.<>]/.test(next)) throw new Unknown();
    this.#reader.skip(1);
    return next === '.' ? '' : next === '<' ? '⟨' : next === '>' ? '⟩' : next;
  }

  #environment() {
    const name = this.#reader.match(GROUP_TEXT)?.[1] ?? '';
    const fences = ENVIRONMENTS.get(name);
    if (!fences) throw new Unknown();
    if (name === 'array' || name === 'alignat') this.#reader.match(GROUP_TEXT);
    const table = this.#nested(() => this.cells(name));
    return fenced(fences[0] ?? '', table, fences[1] ?? '');
  }
}
