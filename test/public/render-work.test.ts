import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startWorkCounter, type WorkCounter } from './count-work.ts';
import { HOSTILE_BLOCKS, HOSTILE_INLINES } from './hostile-markdown.ts';

interface Modules {
  readonly parseBlocks: (text: string) => unknown;
  readonly createBlockStream: () => { push(text: string): void; read(): boolean };
  readonly parseInline: (text: string) => unknown;
  readonly parseTex: (text: string) => unknown;
  readonly highlight: (language: unknown, text: string, state: null) => unknown;
  readonly findLanguage: (name: string) => unknown;
}

const folder = new URL('../../public/js/chat/render/', import.meta.url);
const names = ['block-stream.js', 'inline.js', 'tex.js', 'highlight.js'];
const modules: Modules = Object.assign(
  {},
  ...(await Promise.all(names.map((name) => import(new URL(name, folder).href)))),
);

/** Four parts of a long line: a stream does the same work for each of them. */
const LENGTH = 32_768;
/** What arrives in a frame at 2,000 tokens per second. */
const FRAME_CHARS = 128;
const MOST = 2.2;
const fillTo = (length: number) => (piece: string) =>
  piece.repeat(Math.ceil(length / piece.length)).slice(0, length);

const CODE = [
  ['strings that do not end', '"\\'],
  ['comments that open', '/* '],
  ['backticks', '`\\'],
  ['words', 'abc '],
  ['numbers', '1.2e'],
  ['spaces', 'a    '],
  ['parentheses', 'a('],
  ['tags', '<a b="'],
] as const;
const FORMULAS = [
  '{',
  '\\left(',
  '^',
  "x'",
  '\\frac',
  '\\sqrt[',
  '\\begin{matrix}',
  '&',
  '\\\\',
  '\\text{',
  'x_1^2 ',
];

describe('twice the text is at most 2.2 times the work', () => {
  let counter: WorkCounter;
  before(async () => {
    counter = await startWorkCounter('/public/js/chat/render/');
  });
  after(() => counter.stop());

  async function checkRatio(work: (length: number) => void, length = LENGTH): Promise<void> {
    // V8 does not count the first calls of a function.
    work(length);
    const once = await counter.count(() => work(length));
    const twice = await counter.count(() => work(2 * length));
    assert.ok(once > 0, 'there is work');
    assert.ok(twice <= MOST * once + 200, `${once} steps, then ${twice}: ${(twice / once).toFixed(2)} times`);
  }

  for (const [what, make] of HOSTILE_BLOCKS) {
    test(`blocks: ${what}`, () => checkRatio((length) => modules.parseBlocks(make(fillTo(length)))));
    test(`a stream: ${what}`, () =>
      checkRatio((length) => {
        const text = make(fillTo(length));
        const stream = modules.createBlockStream();
        for (let at = 0; at < text.length; at += FRAME_CHARS) {
          stream.push(text.slice(at, at + FRAME_CHARS));
          stream.read();
        }
      }));
  }
  for (const [what, make] of [...HOSTILE_INLINES, ...HOSTILE_BLOCKS])
    test(`a paragraph: ${what}`, () => checkRatio((length) => modules.parseInline(make(fillTo(length)))));

  for (const name of ['js', 'python', 'html', 'sql', 'rust', 'yaml']) {
    for (const [what, piece] of CODE)
      test(`${name}: ${what}`, () =>
        checkRatio((length) => modules.highlight(modules.findLanguage(name), fillTo(length)(piece), null)));
  }
  for (const piece of FORMULAS)
    test(`a formula of ${piece}`, () =>
      checkRatio((length) => modules.parseTex(fillTo(length)(piece)), 1500));
});
