import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';

/** As a document, as the text of one paragraph, or as a document that is then written as JSON. */
type Reader = 'blocks' | 'inline' | 'json';

const LIMIT_MS = 60_000;
const LENGTH = 600_000;
const fill = (piece: string, length = LENGTH) => piece.repeat(Math.ceil(length / piece.length));

/**
 * Texts on which a reader that tries things twice takes minutes or hours: quadratic time at this length is 10^11 steps and
 * more. Those of `blocks` are read as a document, and all of them as one paragraph's text.
 */
const BLOCKS: readonly [string, string][] = [
  ['spaces under a table header', `a|b\n-${fill(' ')}x`],
  ['spaces and bars under a table header', `a|b\n${fill('-   ')}|x`],
  ['dashes under a table header', `a|b\n${fill('-')}x`],
  ['tabs under a table header', `a|b\n-|-${fill('\t')}:`],
  ['tildes before a line separator', `${fill('~')}\u2028`],
  ['backticks before a line separator', `${fill('`')}\u2028`],
  ['number signs before a line separator', `# ${fill('#')}\u2028`],
  ['rules that are none', `${fill('- ')}x`],
  ['rules with much space', `-${fill(' ')}-${fill(' ')}-${fill(' ')}x`],
  ['underlines that are none', `a\n${fill('-')}${fill(' ')}x`],
  ['rows of one bar', fill('|\n')],
  ['tables after tables', fill('a|b\n-|-\n\n')],
  ['quotes in quotes', fill('> ')],
  ['lines of quotes in quotes', fill(`${'> '.repeat(20)}a\n`)],
  ['lists in lists', fill('- ')],
  ['list items', fill('- a\n')],
  ['list items with blank lines', `- a${fill('\n')}b`],
  ['indented blank lines', `    a${fill('\n')}b`],
  ['fences that stay open', fill('- ```\n')],
  ['digits', fill('1')],
  ['ordered items', fill('1) a\n')],
  ['task items', fill('- [ ] \n')],
  ['carriage returns', fill('\r')],
  ['blanks at a line end', `a${fill(' ')}b`],
];
const INLINES: readonly [string, string][] = [
  ['addresses that are none, one in another', fill('http://%')],
  ['addresses in a label', `[${fill('.http://a')}](https://x.example)`],
  ['punctuation after an address', `http://a${fill('.')}`],
  ['parentheses after an address', `http://a${fill(')')}`],
  ['closings without an end', `${fill('[')}${fill('](')}`],
  ['openings', fill('[')],
  ['images in images', `${fill('![')}${fill('](http://x)')}`],
  ['links with titles that do not end', fill('[a](http://x "')],
  ['asterisks one by one', fill('*a ')],
  ['closing asterisks', fill('a* ')],
  ['both kinds of asterisks', fill('*a **b ')],
  ['asterisks and underscores', fill('*a_b')],
  ['tildes', fill('~~a')],
  ['runs of backticks of many lengths', Array.from({ length: 1400 }, (_, i) => '`'.repeat(i + 1)).join(' ')],
  ['formulas that do not end', fill('\\(a')],
  ['formulas of three kinds', fill('\\(\\[$$a')],
  ['backslashes', fill('\\')],
  ['ampersands', fill('&#1')],
  ['less-than signs', fill('<http://a')],
  ['tags', fill('<br    ')],
  ['exclamation marks', fill('!')],
  ['line ends', fill('\n')],
  ['surrogates', fill('\udc00*')],
];

describe('Markdown takes time in proportion to its length', { timeout: 120_000 }, () => {
  let worker: Worker | null = null;
  after(() => worker?.terminate());

  /** The length of what a reader makes of a text. One that takes too long is ended, and the next text gets a new thread. */
  async function lengthOf(reader: Reader, text: string): Promise<number> {
    const current = worker ?? new Worker(new URL('./markdown-worker.mjs', import.meta.url));
    worker = current;
    const signal = AbortSignal.timeout(LIMIT_MS);
    try {
      current.postMessage({ reader, text });
      const [length] = await once(current, 'message', { signal });
      return length;
    } catch (error) {
      worker = null;
      await current.terminate();
      throw signal.aborted ? new Error(`not read within ${LIMIT_MS / 1000} s`) : error;
    }
  }

  for (const [what, text] of BLOCKS) {
    test(`B11: ${what}`, async () => {
      const isBlank = text.trim() === '';
      assert.equal((await lengthOf('blocks', text)) > 0, !isBlank);
    });
  }
  for (const [what, text] of [...INLINES, ...BLOCKS])
    test(`B11: within a paragraph, ${what}`, async () => assert.ok((await lengthOf('inline', text)) > 0));

  test('B11: a wide row does not fill up a hundred thousand others', async () => {
    const text = `a|b\n-|-\n${'|\n'.repeat(100_000)}${'c|'.repeat(100)}`;
    const length = await lengthOf('json', text);
    assert.ok(length > text.length && length < 10 * text.length, String(length));
  });
});
