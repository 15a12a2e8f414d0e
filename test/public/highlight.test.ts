import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

type Token = [type: string, text: string];
type State = object | null;
interface Highlight {
  readonly findLanguage: (name: string) => object | null;
  readonly highlight: (language: object, text: string, before: State) => { tokens: Token[]; state: State };
}

const folder = new URL('../../public/js/chat/render/', import.meta.url);
const { findLanguage, highlight }: Highlight = await import(new URL('highlight.js', folder).href);
const { LANGUAGES }: { LANGUAGES: { names: string }[] } = await import(new URL('languages.js', folder).href);
const NAMES = LANGUAGES.map(({ names }) => names.split(' ')[0] ?? '');

function languageOf(name: string): object {
  const language = findLanguage(name);
  assert.ok(language, name);
  return language;
}

/** The tokens that are not plain, as `type:text`. */
function coloured(name: string, text: string): string[] {
  const { tokens } = highlight(languageOf(name), text, null);
  return tokens.filter(([type]) => type !== '').map((token) => token.join(':'));
}

const SAMPLES: readonly [name: string, code: string, coloured: string[]][] = [
  ['ts', "const a = f('x', 1.5); // end", ['k:const', 'f:f', "s:'x'", 'n:1.5', 'c:// end']],
  ['js', '/* a\nb */ `c d\ne`', ['c:/* a\nb */', 's:`c d\ne`']],
  ['python', 'def f(x): # no\n  return """a\nb"""', ['k:def', 'f:f', 'c:# no', 'k:return', 's:"""a\nb"""']],
  ['java', '@Test public void a() { return 0x1F; }', ['k:public', 'k:void', 'f:a', 'k:return', 'n:0x1F']],
  ['cpp', '#include <x>\nint a = 1;', ['k:include', 'k:int', 'n:1']],
  ['c#', 'var x = "a\\"b";', ['k:var', 's:"a\\"b"']],
  ['go', 'func main() { x := `a` }', ['k:func', 'f:main', 's:`a`']],
  ['rust', "fn a<'b>(x: &'b u8) {}", ['k:fn', 'k:u8']],
  ['php', 'ECHO $a; # x', ['k:ECHO', 'c:# x']],
  ['ruby', 'def a # b\nend', ['k:def', 'c:# b', 'k:end']],
  ['bash', 'echo "a#b" a#b # c', ['k:echo', 's:"a#b"', 'c:# c']],
  ['sql', 'SELECT count(*) -- all', ['k:SELECT', 'f:count', 'c:-- all']],
  ['html', '<a href="x">it\'s</a><!-- c -->', ['k:<a', 'f:href', 's:"x"', 'k:>', 'k:</a>', 'c:<!-- c -->']],
  ['css', '.a { color: red; /* c */ }', ['f:color', 'c:/* c */']],
  ['json', '{"a": "b", "c": [1, true]}', ['f:"a"', 's:"b"', 'f:"c"', 'n:1', 'k:true']],
  ['yaml', 'a-b: yes # c', ['f:a-b', 'k:yes', 'c:# c']],
];

for (const [name, code, expected] of SAMPLES)
  test(`${name} is coloured`, () => assert.deepEqual(coloured(name, code), expected));

test('names are found in any case, others are not', () => {
  assert.ok(findLanguage('TypeScript'));
  for (const name of ['', 'klingon', '__proto__', 'constructor', 'js '])
    assert.equal(findLanguage(name), null, name);
});

const scraps = fc.constantFrom(
  '"',
  "'",
  '`',
  '/*',
  '*/',
  '//',
  '#',
  '--',
  '"""',
  '<!--',
  '-->',
  '\\',
  '\n',
  ' ',
  '(',
  ':',
  '=',
  '<a',
  '>',
  'if',
  'x1',
  '1.5e3',
  '😀',
  '$',
  '@a',
);
const code = fc.array(fc.oneof(scraps, fc.string({ maxLength: 3 })), { maxLength: 40 });

test('the tokens together are the code, in every language', () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), code, (name, parts) => {
      const text = parts.join('');
      const { tokens } = highlight(languageOf(name), text, null);
      assert.equal(tokens.map(([, part]) => part).join(''), text);
      assert.ok(tokens.every(([, part]) => part !== ''));
    }),
  );
});

test('code that is cut at line ends gets the colours of the whole code', () => {
  const merge = (tokens: Token[]): Token[] => {
    const merged: Token[] = [];
    for (const [type, text] of tokens) {
      const last = merged.at(-1);
      if (last?.[0] === type) last[1] += text;
      else merged.push([type, text]);
    }
    return merged;
  };
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), code, (name, parts) => {
      const text = parts.join('');
      const language = languageOf(name);
      let state: State = null;
      const tokens: Token[] = [];
      for (const line of text.split(/(?<=\n)/)) {
        const read = highlight(language, line, state);
        tokens.push(...read.tokens);
        state = read.state;
      }
      assert.deepEqual(merge(tokens), merge(highlight(language, text, null).tokens));
    }),
  );
});
