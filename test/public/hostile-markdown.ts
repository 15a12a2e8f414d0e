/** Makes a text of the wanted length from a piece. */
export type Fill = (piece: string) => string;
export type HostileText = readonly [what: string, make: (fill: Fill) => string];

/** Runs of one, two, three and more marks, with spaces between. */
function runsOf(mark: string, length: number): string {
  return Array.from({ length: Math.ceil(Math.sqrt(2 * length)) }, (_, i) => mark.repeat(i + 1)).join(' ');
}

/** Texts of blocks; each is also a hostile text of one paragraph. */
export const HOSTILE_BLOCKS: readonly HostileText[] = [
  ['spaces under a table header', (fill) => `a|b\n-${fill(' ')}x`],
  ['spaces and bars under a table header', (fill) => `a|b\n${fill('-   ')}|x`],
  ['dashes under a table header', (fill) => `a|b\n${fill('-')}x`],
  ['tabs under a table header', (fill) => `a|b\n-|-${fill('\t')}:`],
  ['tildes before a line separator', (fill) => `${fill('~')}\u2028`],
  ['backticks before a line separator', (fill) => `${fill('`')}\u2028`],
  ['number signs before a line separator', (fill) => `# ${fill('#')}\u2028`],
  ['rules that are none', (fill) => `${fill('- ')}x`],
  ['rules with much space', (fill) => `-${fill(' ')}-${fill(' ')}-${fill(' ')}x`],
  ['underlines that are none', (fill) => `a\n${fill('-')}${fill(' ')}x`],
  ['rows of one bar', (fill) => fill('|\n')],
  ['tables after tables', (fill) => fill('a|b\n-|-\n\n')],
  ['quotes in quotes', (fill) => fill('> ')],
  ['lines of quotes in quotes', (fill) => fill(`${'> '.repeat(20)}a\n`)],
  ['lists in lists', (fill) => fill('- ')],
  ['list items', (fill) => fill('- a\n')],
  ['list items with blank lines', (fill) => `- a${fill('\n')}b`],
  ['indented blank lines', (fill) => `    a${fill('\n')}b`],
  ['fences that stay open', (fill) => fill('- ```\n')],
  ['digits', (fill) => fill('1')],
  ['ordered items', (fill) => fill('1) a\n')],
  ['task items', (fill) => fill('- [ ] \n')],
  ['carriage returns', (fill) => fill('\r')],
  ['blanks at a line end', (fill) => `a${fill(' ')}b`],
  ['lists of three kinds in turn', (fill) => fill('- a\n+ b\n1. c\n')],
  [
    'nested lists, deeper and deeper',
    (fill) => fill(Array.from({ length: 20 }, (_, i) => `${' '.repeat(2 * i)}- a\n`).join('')),
  ],
  ['quotes with lazy lines', (fill) => fill('> a\nb\n')],
  ['long lines of code', (fill) => `\`\`\`\n${fill('x')}\n${fill('y')}`],
  ['rows with many bars', (fill) => `a|b\n-|-\n${fill(`${'|'.repeat(500)}\n`)}`],
  ['formulas on lines that do not end', (fill) => fill('$$\na\n\n')],
  ['footnotes', (fill) => fill('[^1]: a\n')],
];
/** Texts of one paragraph. */
export const HOSTILE_INLINES: readonly HostileText[] = [
  ['addresses that are none, one in another', (fill) => fill('http://%')],
  ['addresses in a label', (fill) => `[${fill('.http://a')}](https://x.example)`],
  ['punctuation after an address', (fill) => `http://a${fill('.')}`],
  ['parentheses after an address', (fill) => `http://a${fill(')')}`],
  ['closings without an end', (fill) => `${fill('[')}${fill('](')}`],
  ['openings', (fill) => fill('[')],
  ['images in images', (fill) => `${fill('![')}${fill('](http://x)')}`],
  ['links with titles that do not end', (fill) => fill('[a](http://x "')],
  ['asterisks one by one', (fill) => fill('*a ')],
  ['closing asterisks', (fill) => fill('a* ')],
  ['both kinds of asterisks', (fill) => fill('*a **b ')],
  ['asterisks and underscores', (fill) => fill('*a_b')],
  ['tildes', (fill) => fill('~~a')],
  ['runs of backticks of many lengths', (fill) => runsOf('`', fill('x').length)],
  ['formulas that do not end', (fill) => fill('\\(a')],
  ['formulas of three kinds', (fill) => fill('\\(\\[$$a')],
  ['backslashes', (fill) => fill('\\')],
  ['ampersands', (fill) => fill('&#1')],
  ['less-than signs', (fill) => fill('<http://a')],
  ['tags', (fill) => fill('<br    ')],
  ['exclamation marks', (fill) => fill('!')],
  ['line ends', (fill) => fill('\n')],
  ['surrogates', (fill) => fill('\udc00*')],
  ['dollar signs', (fill) => fill('$a_1')],
  ['dollar signs far apart', (fill) => fill(`$${'a'.repeat(190)}`)],
  ['notes', (fill) => fill('[^1')],
  ['long runs of asterisks', (fill) => fill(`a${'*'.repeat(300)}`)],
  ['entities', (fill) => fill('&amp;&amp')],
];
