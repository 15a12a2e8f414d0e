import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { HOSTILE_BLOCKS, HOSTILE_INLINES } from './hostile-markdown.ts';

/** As a document, as the text of one paragraph, or as a document that is then written as JSON. */
type Reader = 'blocks' | 'inline' | 'json';

const LIMIT_MS = 60_000;
/** Quadratic time at this length is 10^11 steps and more. */
const LENGTH = 600_000;
const fill = (piece: string): string => piece.repeat(Math.ceil(LENGTH / piece.length));

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

  for (const [what, make] of HOSTILE_BLOCKS) {
    test(`B11: ${what}`, async () => {
      const text = make(fill);
      const isBlank = text.trim() === '';
      assert.equal((await lengthOf('blocks', text)) > 0, !isBlank);
    });
  }
  for (const [what, make] of [...HOSTILE_INLINES, ...HOSTILE_BLOCKS])
    test(`B11: within a paragraph, ${what}`, async () =>
      assert.ok((await lengthOf('inline', make(fill))) > 0));

  test('B11: a wide row does not fill up a hundred thousand others', async () => {
    const text = `a|b\n-|-\n${'|\n'.repeat(100_000)}${'c|'.repeat(100)}`;
    const length = await lengthOf('json', text);
    assert.ok(length > text.length && length < 10 * text.length, String(length));
  });
});
