import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

interface Tex {
  readonly type: string;
  readonly [field: string]: unknown;
}

const address = new URL('../../public/js/chat/render/tex.js', import.meta.url);
const { parseTex }: { parseTex: (source: string) => Tex | null } = await import(address.href);

/** A short notation of a tree: `frac(a b)`, `x^2`, `_`. */
function notation(tex: Tex | null): string {
  if (tex === null) return 'unknown';
  const of = (part: unknown): string => notation(part as Tex);
  switch (tex.type) {
    case 'row':
      return (tex['children'] as Tex[]).map(notation).join(' ');
    case 'frac':
      return `frac(${of(tex['top'])}; ${of(tex['bottom'])})`;
    case 'sqrt':
      return `sqrt(${of(tex['body'])}${tex['index'] ? `; ${of(tex['index'])}` : ''})`;
    case 'script':
      return `${of(tex['base'])}${tex['sub'] ? `_(${of(tex['sub'])})` : ''}${tex['sup'] ? `^(${of(tex['sup'])})` : ''}${tex['limits'] === 'never' ? '' : '!'}`;
    case 'accent':
      return `${tex['mark']}(${of(tex['base'])})`;
    case 'space':
      return '';
    case 'box':
      return `box(${of(tex['body'])})`;
    case 'table':
      return `table(${(tex['rows'] as Tex[][]).map((cells) => cells.map(notation).join(' & ')).join('; ')})`;
    default:
      return String(tex['text']);
  }
}

const SAMPLES: readonly [source: string, notation: string][] = [
  ['x^2 + y_1', 'x^(2) + y_(1)'],
  ['a_1^{n+1}', 'a_(1)^(n + 1)'],
  ['\\frac{a}{b}\\frac12', 'frac(a; b) frac(1; 2)'],
  ['\\sqrt{x}\\sqrt[3]{y}', 'sqrt(x) sqrt(y; 3)'],
  ['\\alpha\\leq\\Omega', 'α ≤ Ω'],
  ['\\sum_{i=1}^n i', '∑_(i = 1)^(n)! i'],
  ['\\int_0^\\infty', '∫_(0)^(∞)'],
  ['\\lim_{x\\to0} \\sin x', 'lim_(x → 0)! sin x'],
  ["f''(x)", 'f^(′′) ( x )'],
  ['\\left(\\frac1x\\right]', '( frac(1; x) ]'],
  ['\\begin{pmatrix}a&b\\\\c&d\\end{pmatrix}', '( table(a & b; c & d) )'],
  ['\\begin{cases}1&x>0\\\\0&\\text{otherwise}\\end{cases}', '{ table(1 & x > 0; 0 & otherwise)'],
  ['\\begin{array}{cc}a&b\\end{array}', 'table(a & b)'],
  ['a&=b\\\\&=c', 'table(a & = b;  & = c)'],
  ['\\hat{x}\\vec v\\overline{ab}', '^(x) →(v) ¯(a b)'],
  ['\\mathbb{R}\\mathbf{v}\\mathcal{L}\\mathrm{d}', 'ℝ 𝐯 ℒ d'],
  ['\\text{if } 3.14', 'if\u00a0 3.14'],
  ['\\binom nk', '( frac(n; k) )'],
  ['a\\not=b', 'a ≠ b'],
  ['\\boxed{x}', 'box(x)'],
  ['\\underbrace{a}_{b}', '⏟(a)_(b)!'],
  ['\\sum\\limits_i', '∑_(i)!'],
  ['\\big( x \\big) \\, y % note', '( x )  y'],
  ['\\{a\\}\\%', '{ a } %'],
];

for (const [source, expected] of SAMPLES)
  test(`the formula ${source}`, () => assert.equal(notation(parseTex(source)), expected));

test('what is not known makes the whole formula unknown', () => {
  for (const source of [
    '\\foo',
    'x^a^b',
    'x_1_2',
    '{',
    '}',
    'a}',
    '\\frac{a}',
    '\\left(x',
    '\\right)',
    '\\begin{matrix}a',
    '\\begin{x}a\\end{x}',
    '\\begin{matrix}a\\end{pmatrix}',
    '\\sqrt',
    '\\def\\a{b}',
    '\\href{javascript:x}{y}',
    '\\text{a',
    '#1',
    'x'.repeat(4001),
    '{'.repeat(100) + '}'.repeat(100),
    '\\hat'.repeat(100),
  ])
    assert.equal(parseTex(source), null, source.slice(0, 50));
});

test('no text makes the parser throw, and no tree is deep', () => {
  const scraps = fc.constantFrom(
    '{',
    '}',
    '^',
    '_',
    '&',
    '\\\\',
    '\\frac',
    '\\sqrt',
    '[',
    ']',
    '\\left(',
    '\\right)',
    '\\begin{matrix}',
    '\\end{matrix}',
    '\\hat',
    '\\text{',
    "'",
    '\\sum',
    '\\limits',
    'x',
    '1',
    ' ',
    '$',
    '\\',
    '%',
    '\n',
    '\\not',
    '\\mathbf',
  );
  const depthOf = (node: unknown): number =>
    node !== null && typeof node === 'object' ? 1 + Math.max(0, ...Object.values(node).map(depthOf)) : 0;
  fc.assert(
    fc.property(fc.array(fc.oneof(scraps, fc.string({ maxLength: 2 })), { maxLength: 60 }), (parts) => {
      assert.ok(depthOf(parseTex(parts.join(''))) < 150);
    }),
    { numRuns: 2000 },
  );
});
