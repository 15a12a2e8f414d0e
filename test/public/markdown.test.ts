import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SAMPLE_ANSWER } from '../browser/answer-samples.ts';

type Node = { type: string; [field: string]: unknown };
interface BlockStream {
  readonly blocks: Node[];
  push(text: string): void;
  close(): void;
  read(maxChars?: number): number;
}

const folder = new URL('../../public/js/chat/render/', import.meta.url);
const load = async (name: string): Promise<Record<string, unknown>> => import(new URL(name, folder).href);
const parseBlocks = (await load('block-stream.js'))['parseBlocks'] as (text: string) => Node[];
const parseInline = (await load('inline.js'))['parseInline'] as (text: string) => Node[];
const toSafeHref = (await load('spans.js'))['toSafeHref'] as (url: string) => string | null;
const createBlockStream = (await load('block-stream.js'))['createBlockStream'] as () => BlockStream;

/** Parses what is left. */
function endOf(stream: BlockStream): Node[] {
  stream.close();
  stream.read();
  return stream.blocks;
}

const RUNS = process.env['IPIN_LONG'] === '1' ? 20_000 : 500;
const paragraph = (text: string): Node => ({ type: 'paragraph', text });
const text = (value: string): Node => ({ type: 'text', text: value });
const item = (...blocks: Node[]): object => ({ blocks, isChecked: null });
const list = (items: object[], more: object = {}): Node => ({
  type: 'list',
  mark: '-',
  start: null,
  isTight: true,
  items,
  ...more,
});
const code = (value: string, more: object = {}): Node => ({
  type: 'code',
  info: '',
  text: value,
  isClosed: true,
  ...more,
});

const BLOCKS: readonly [name: string, source: string, blocks: Node[]][] = [
  ['paragraphs', 'a\nb\n\n  c', [paragraph('a\nb'), paragraph('c')]],
  ['line ends of all kinds', 'a\r\nb\rc', [paragraph('a\nb\nc')]],
  ['headings', '# A #\n###### B', [head(1, 'A'), head(6, 'B')]],
  ['no heading without a space', '#tag', [paragraph('#tag')]],
  ['underlined headings', 'A\n===\nB\n---', [head(1, 'A'), head(2, 'B')]],
  ['a rule is no list', 'a\n\n* * *', [paragraph('a'), { type: 'rule' }]],
  ['a fence', '```js\nlet a;\n\n  b\n```\nc', [code('let a;\n\n  b', { info: 'js' }), paragraph('c')]],
  ['a longer fence holds a shorter one', '````\n```\n````', [code('```')]],
  ['an open fence', '```py\nx = 1', [code('x = 1', { info: 'py', isClosed: false })]],
  ['indented code keeps its tabs', '    a\n\tb\n\n\t\tc', [code('a\nb\n\n\tc')]],
  [
    'a quote with a list',
    '> a\n> - b',
    [{ type: 'quote', blocks: [paragraph('a'), list([item(paragraph('b'))])] }],
  ],
  [
    'a list after a paragraph',
    'a\n- b\n- c',
    [paragraph('a'), list([item(paragraph('b')), item(paragraph('c'))])],
  ],
  ['a year is no list', 'in\n1984. It', [paragraph('in\n1984. It')]],
  [
    'numbering goes on',
    '3. a\n4. b',
    [list([item(paragraph('a')), item(paragraph('b'))], { mark: '.', start: 3 })],
  ],
  ['a loose list', '- a\n\n- b', [list([item(paragraph('a')), item(paragraph('b'))], { isTight: false })]],
  ['tasks', '- [x] a\n- [ ] b', [list([task('a', true), task('b', false)])]],
  [
    'a nested list',
    '- a\n  - b\n- c',
    [list([item(paragraph('a'), list([item(paragraph('b'))])), item(paragraph('c'))])],
  ],
  [
    'two columns nest under a number',
    '1. a\n  - b',
    [list([item(paragraph('a'), list([item(paragraph('b'))]))], { mark: '.', start: 1 })],
  ],
  ['a lazy line', '- a\nb', [list([item(paragraph('a\nb'))])]],
  ['a fence in an item', '- a\n  ```\n  x\n  ```', [list([item(paragraph('a'), code('x'))])]],
  ['a careless fence in an item', '- a\n  ```\nx\n  ```', [list([item(paragraph('a'), code('x'))])]],
  ['a table', 'a|b\n:-|-:\n1|2|3', [table(['left', 'right'], ['a', 'b'], [['1', '2', '3']])]],
  ['bars inside cells', '| a |\n|---|\n| x \\| y |', [table([''], ['a'], [['x | y']])]],
  ['a table in the making', '| a | b |\n|--', [table([''], ['a', 'b'], [])]],
  [
    'rows of a table end at a list',
    'a|b\n-|-\n1|2\n- x|y',
    [table(['', ''], ['a', 'b'], [['1', '2']]), list([item(paragraph('x|y'))])],
  ],
  ['a table under a paragraph', 'x\na|b\n-|-', [paragraph('x'), table(['', ''], ['a', 'b'], [])]],
  ['a lazy line in a quote', '> a\nb\n\nc', [{ type: 'quote', blocks: [paragraph('a\nb')] }, paragraph('c')]],
  [
    'blank lines in a quote loosen its list only',
    '- a\n  > b\n  >\n- c',
    [list([item(paragraph('a'), { type: 'quote', blocks: [paragraph('b')] }), item(paragraph('c'))])],
  ],
  [
    'code in a loose list keeps its blank lines',
    '- a\n\n      x\n\n      y\n\n- b',
    [list([item(paragraph('a'), code('x\n\ny')), item(paragraph('b'))], { isTight: false })],
  ],
  [
    'a formula',
    'a\n$$\nx\n- y\n$$\nb',
    [paragraph('a'), { type: 'formula', text: '$$\nx\n- y\n$$', isClosed: true }, paragraph('b')],
  ],
  ['a formula on one line', '\\[ x \\].', [{ type: 'formula', text: '\\[ x \\].', isClosed: true }]],
  [
    'a formula that does not end',
    '$$\nx\n\ny',
    [{ type: 'formula', text: '$$\nx', isClosed: false }, paragraph('y')],
  ],
  ['prices are no formula', '$$: cheap\n$$$: dear', [paragraph('$$: cheap\n$$$: dear')]],
  ['footnotes', 'a\n[^1]: b\n  c\n[^2]: d', [paragraph('a'), note('1', 'b\nc'), note('2', 'd')]],
  ['a bar is no table', 'a | b\nc', [paragraph('a | b\nc')]],
];

function note(label: string, value: string): Node {
  return { type: 'footnote', label, text: value };
}
function head(level: number, value: string): Node {
  return { type: 'heading', level, text: value };
}
function task(value: string, isChecked: boolean): object {
  return { blocks: [paragraph(value)], isChecked };
}
function table(align: string[], header: string[], rows: string[][]): Node {
  return { type: 'table', align, header, rows };
}
function link(href: string, ...children: Node[]): Node {
  return { type: 'link', href, children };
}

for (const [name, source, blocks] of BLOCKS) {
  test(`blocks: ${name}`, () => assert.deepEqual(parseBlocks(source), blocks));
}

const wrap = (type: string, ...children: Node[]): Node => ({ type, children });
const math = (value: string): Node => ({ type: 'math', text: value });
const INLINES: readonly [name: string, source: string, nodes: Node[]][] = [
  [
    'bold and italic',
    '**a** _b_ ~~c~~',
    [wrap('strong', text('a')), text(' '), wrap('em', text('b')), text(' '), wrap('del', text('c'))],
  ],
  ['both at once', '***a***', [wrap('em', wrap('strong', text('a')))]],
  ['nested', '*a **b** c*', [wrap('em', text('a '), wrap('strong', text('b')), text(' c'))]],
  ['names with underscores', 'a_b_c 2 * 3 * 4', [text('a_b_c 2 * 3 * 4')]],
  ['marks left open', '**a *b', [text('**a *b')]],
  ['bold beside CJK punctuation', '**「a」**b', [wrap('strong', text('「a」')), text('b')]],
  ['code wins over bold', '**a `b** c`', [text('**a '), { type: 'code', text: 'b** c' }]],
  ['double ticks', '`` ` ``', [{ type: 'code', text: '`' }]],
  ['a tick left open', '`a ``b', [text('`a ``b')]],
  ['escapes', '\\*a\\* \\q', [text('*a* \\q')]],
  ['entities', '&lt;&#65;&#x42;&nbsp;&bogus;&#0;', [text('<AB\u00a0&bogus;&#0;')]],
  ['a line end', 'a\nb<br>c', [text('a'), { type: 'br' }, text('b'), { type: 'br' }, text('c')]],
  [
    'a link',
    '[a *b*](https://x.org/(y) "t").',
    [link('https://x.org/(y)', text('a '), wrap('em', text('b'))), text('.')],
  ],
  [
    'a bare link',
    '(https://x.org/a_b).',
    [text('('), link('https://x.org/a_b', text('https://x.org/a_b')), text(').')],
  ],
  ['a bold link', '**https://x.org**', [wrap('strong', link('https://x.org/', text('https://x.org')))]],
  ['an angle link', '<https://x.org>', [link('https://x.org/', text('https://x.org'))]],
  ['a script is no link', '[a](javascript:alert(1))', [text('[a](javascript:alert(1))')]],
  ['HTML is text', '<b onclick="x">a</b>', [text('<b onclick="x">a</b>')]],
  [
    'an image',
    '![a](https://x.org/i.png)',
    [{ type: 'image', alt: 'a', source: '![a](https://x.org/i.png)', href: 'https://x.org/i.png' }],
  ],
  ['a formula in dollars', 'so $x_1^2$.', [text('so '), math('$x_1^2$'), text('.')]],
  ['a letter in dollars', '$n$ and $f(x)$', [math('$n$'), text(' and '), math('$f(x)$')]],
  ['prices', '$5 and $10, 5$-6$, $5-$10, US$x=1$', [text('$5 and $10, 5$-6$, $5-$10, US$x=1$')]],
  ['words in dollars', '$more money = less$ a', [text('$more money = less$ a')]],
  ['escaped dollars', '\\$x=1\\$', [text('$x=1$')]],
  ['a note', 'a[^1] [^a b]', [text('a'), { type: 'note', label: '1' }, text(' [^a b]')]],
  ['named entities', '&rarr;&constructor;&copy;', [text('→&constructor;©')]],
  ['TeX keeps its marks', '\\(a_1*b_2*\\)', [{ type: 'math', text: '\\(a_1*b_2*\\)' }]],
];

for (const [name, source, nodes] of INLINES) {
  test(`inline: ${name}`, () => assert.deepEqual(parseInline(source), nodes));
}

test('only absolute http and https addresses become links', () => {
  for (const url of [
    'javascript:alert(1)',
    'JavaScript:x',
    'java\nscript:x',
    'data:text/html,x',
    'vbscript:x',
    '/admin.html',
    '//x.org',
    'mailto:a@b.c',
    'https://',
    'file:///etc/passwd',
  ]) {
    assert.equal(toSafeHref(url), null, url);
  }
  assert.equal(toSafeHref('HTTPS://X.org'), 'https://x.org/');
});

/** All text that a reader would see, addresses included. */
function seen(node: unknown): string {
  if (typeof node === 'string') return `${node} `;
  if (Array.isArray(node)) return node.map(seen).join('');
  if (node === null || typeof node !== 'object') return '';
  const { type, ...fields } = node as Node;
  const content =
    type === 'paragraph' || type === 'heading' ? parseInline(String(fields['text'])) : Object.values(fields);
  return seen(content);
}

const SCRAPS = [
  '\n',
  '\n\n',
  ' ',
  '  ',
  '    ',
  '\t',
  '# ',
  '- ',
  '* ',
  '+ ',
  '1. ',
  '7) ',
  '> ',
  '```',
  '~~~',
  '`',
  '**',
  '*',
  '_',
  '~~',
  '|',
  '|-|-|\n',
  '---',
  '===',
  '[',
  ']',
  '](',
  '](https://x.org/)',
  '![',
  '(',
  ')',
  '<',
  '>',
  '&amp;',
  '\\',
  '$$',
  '$',
  '\\(',
  '\\]',
  '[^1]: ',
  '[^1]',
  'https://',
  '[x] ',
  ':',
  '!',
  '\r',
  '😀',
  '。',
];
const markdown = fc.array(
  fc.oneof(
    fc.constantFrom(...SCRAPS),
    fc.string({ maxLength: 4 }),
    fc.nat(999).map((n) => `w${n}w`),
  ),
  { maxLength: 60 },
);

test('no text makes the parser throw, and no word of an answer is lost', () => {
  fc.assert(
    fc.property(markdown, (parts) => {
      const visible = seen(parseBlocks(parts.join('')));
      for (const word of parts.filter((part) => /^w\d+w$/.test(part)))
        assert.ok(visible.includes(word), word);
    }),
    { numRuns: RUNS },
  );
});

/** Freezes what may not change any more: every block that is not the last one of its parent. */
function freezeClosed(blocks: Node[], isOpen: boolean): void {
  for (const [index, block] of blocks.entries()) {
    const isLast = isOpen && index === blocks.length - 1;
    const items = (block['items'] ?? []) as { blocks: Node[] }[];
    for (const [at, item] of items.entries()) freezeClosed(item.blocks, isLast && at === items.length - 1);
    if (block['blocks']) freezeClosed(block['blocks'] as Node[], isLast);
    if (isLast) continue;
    for (const value of Object.values(block)) Object.freeze(value);
    Object.freeze(block);
  }
  if (!isOpen) Object.freeze(blocks);
}

test('at every moment the blocks of a stream are those of the text so far, and closed ones never change', () => {
  fc.assert(
    fc.property(markdown, fc.array(fc.nat(40), { minLength: 60, maxLength: 60 }), (parts, limits) => {
      const stream = createBlockStream();
      let soFar = '';
      parts.forEach((part, i) => {
        stream.push(part);
        soFar += part;
        const limit = limits[i] ?? 0;
        if (limit < 20) return;
        const isDone = stream.read(limit > 30 ? undefined : limit - 20) === 0;
        if (isDone && !soFar.endsWith('\r')) assert.deepEqual(stream.blocks, parseBlocks(soFar));
        // Two blocks from the end nothing changes: an unfinished line can still take back the last one.
        freezeClosed(stream.blocks.slice(0, -2), false);
      });
      assert.deepEqual(endOf(stream), parseBlocks(soFar));
    }),
    { numRuns: RUNS },
  );
});

/** Each can be read in another way before its end is there. */
const DOUBTFUL = [
  '- a\n\n-b\n',
  '- a\n- b\n\n  c\n\n- d\n',
  'a|b\n-|-\n1|2\n33|44\n- x|y\n',
  'x\na | b\n--|--\nc',
  '> a\n> - b\n>\n> - c\nlazy\n\nd',
  '1. a\n   ```\n   x\n\n   ```\n2. b\n  - c\n\n      d\n',
  '    a\n\n\n    b\n\nc',
  'a\n---\nb\n- -\n* * *\n',
  '$$\na\n$$.\n\\[ x \\] y\n$$\n\nz',
  '~~~~ js {a}\n~~~\n~~~~\n',
];

test('a text that is cut anywhere, or comes by characters, gives the blocks of the whole text', () => {
  for (const text of [...DOUBTFUL, SAMPLE_ANSWER]) {
    const whole = parseBlocks(text);
    const byCharacters = createBlockStream();
    for (let cut = 0; cut < text.length; cut += 1) {
      const inTwo = createBlockStream();
      inTwo.push(text.slice(0, cut));
      inTwo.read();
      inTwo.push(text.slice(cut));
      assert.deepEqual(endOf(inTwo), whole, JSON.stringify(text.slice(0, cut)));
      byCharacters.push(text.charAt(cut));
      byCharacters.read();
      assert.deepEqual(byCharacters.blocks, parseBlocks(text.slice(0, cut + 1)));
    }
    assert.deepEqual(endOf(byCharacters), whole);
  }
});

test('what the next characters can still change is changed', () => {
  for (const [first, second] of [
    ['a\n***', 'b***'],
    ['a\n| b | c |\n|--', ' d'],
    ['- a\n\n', '  b'],
    ['a\n-', '--'],
    ['```\na\n``', 'b'],
    ['$$\na\n$', '$'],
  ] as const) {
    const stream = createBlockStream();
    stream.push(first);
    stream.read();
    assert.deepEqual(stream.blocks, parseBlocks(first), first);
    stream.push(second);
    assert.deepEqual(endOf(stream), parseBlocks(first + second), first);
  }
});

test('a line longer than a part is parsed in parts, and no character is lost', () => {
  for (const [open, close, type] of [
    ['', '', 'paragraph'],
    ['```\n', '\n```', 'code'],
  ] as const) {
    const line = '0123456789 x😀'.repeat(5000);
    const stream = createBlockStream();
    for (let at = 0; at < line.length + 10; at += 1000) {
      stream.push((open + line + close).slice(at, at + 1000));
      stream.read(500);
    }
    stream.push((open + line + close).slice(line.length + 10));
    assert.deepEqual(
      endOf(stream).map((b) => [b.type, b['text'] === line]),
      [[type, true]],
    );
  }
});

/** With a parser that goes over the text again and again these take minutes, in linear time a second. */
const HOSTILE = [
  '[',
  '![',
  '](',
  '[a](',
  '*a ',
  '**a _b ',
  '`',
  '` `` ',
  '\\(',
  '$$ ',
  '<',
  '&',
  '> ',
  '- ',
  '1. ',
  '- - ',
  '|',
  '|-',
  'https://)',
  '~~',
  '_a*',
  '```\n',
  '    x\n\n',
  '* ',
  '<https://',
  '#',
  '# # ',
  ' ',
  '\t',
  '&#',
  '](https://x.org/',
  '*_~~',
];

test('hostile texts of 40,000 characters are parsed, and nesting stays shallow enough to draw', () => {
  for (const scrap of HOSTILE) {
    for (const end of ['', '\n', 'x']) {
      const source = scrap.repeat(Math.ceil(40_000 / scrap.length)) + end;
      assert.ok(depthOf(parseBlocks(source)) < 400, scrap);
      assert.ok(depthOf(parseInline(source)) < 400, scrap);
    }
  }
});

function depthOf(node: unknown): number {
  if (node === null || typeof node !== 'object') return 0;
  let deepest = 0;
  for (const child of Object.values(node)) deepest = Math.max(deepest, depthOf(child));
  return deepest + 1;
}
