/** What the highlighter knows of each language. */

/**
 * @typedef {{
 *   names: string, extension: string, keywords: string, comments: string, strings?: string, multiline?: readonly [string, string][],
 *   word?: string, ignoresCase?: boolean, hasKeys?: boolean, isMarkup?: boolean,
 * }} Description names, keywords, comments and the marks of strings are separated by spaces; comments: marks of comments that
 *   end with the line; multiline: marks of comments and strings that can go over lines, with their end; word: characters of
 *   words besides letters, digits and `_`; hasKeys: a word before a colon is a key
 */

const C_COMMENTS = '//';
/** @type {readonly [string, string][]} */
const C_MULTILINE = [['/*', '*/']];

/** @type {readonly Description[]} */
export const LANGUAGES = [
  {
    names: 'js javascript mjs cjs jsx ts typescript tsx',
    extension: 'js',
    keywords:
      'abstract any as async await break case catch class const continue debugger declare default delete do else enum export extends false finally for from function get if implements import in instanceof interface keyof let namespace never new null number of private protected public readonly return satisfies set static string super switch this throw true try type typeof undefined unknown var void while with yield boolean',
    comments: C_COMMENTS,
    multiline: [...C_MULTILINE, ['`', '`']],
    word: '$',
  },
  {
    names: 'python py python3',
    extension: 'py',
    keywords:
      'and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield',
    comments: '#',
    multiline: [
      ['"""', '"""'],
      ["'''", "'''"],
    ],
    word: '@',
  },
  {
    names: 'java kotlin kt',
    extension: 'java',
    keywords:
      'abstract assert boolean break byte case catch char class const continue default do double else enum extends false final finally float for fun if implements import instanceof int interface long native new null package private protected public record return sealed short static super switch synchronized this throw throws transient true try val var void volatile when while yield',
    comments: C_COMMENTS,
    multiline: [...C_MULTILINE, ['"""', '"""']],
    word: '@',
  },
  {
    names: 'c cpp c++ cc h hpp cxx arduino',
    extension: 'cpp',
    keywords:
      'alignas auto bool break case catch char class const constexpr continue default define delete do double else enum explicit extern false final float for friend goto if include inline int long mutable namespace new noexcept nullptr operator override private protected public register return short signed sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void volatile while NULL',
    comments: C_COMMENTS,
    multiline: C_MULTILINE,
  },
  {
    names: 'csharp cs c#',
    extension: 'cs',
    keywords:
      'abstract as async await base bool break byte case catch char class const continue decimal default delegate do double else enum event explicit extern false finally float for foreach get if implicit in int interface internal is lock long namespace new null object operator out override params private protected public readonly record ref return sealed set short static string struct switch this throw true try typeof uint ulong using var virtual void volatile when where while yield',
    comments: C_COMMENTS,
    multiline: [...C_MULTILINE, ['"""', '"""']],
  },
  {
    names: 'go golang',
    extension: 'go',
    keywords:
      'any bool break byte case chan const continue default defer else error fallthrough false float32 float64 for func go goto if import int int32 int64 interface iota map nil package range return rune select string struct switch true type uint var',
    comments: C_COMMENTS,
    multiline: [...C_MULTILINE, ['`', '`']],
  },
  {
    names: 'rust rs',
    extension: 'rs',
    keywords:
      'as async await bool break char const continue crate dyn else enum extern f32 f64 false fn for i32 i64 if impl in let loop match mod move mut pub ref return self Self static str struct super trait true type u32 u64 u8 unsafe use usize where while',
    comments: C_COMMENTS,
    // A single quote also starts a lifetime.
    strings: '"',
    multiline: C_MULTILINE,
  },
  {
    names: 'php',
    extension: 'php',
    keywords:
      'abstract and array as bool break callable case catch class clone const continue declare default do echo else elseif empty extends false final finally fn for foreach function global if implements include instanceof int interface isset match namespace new null or print private protected public readonly require require_once return static string switch this throw trait true try unset use var void while yield',
    comments: '// #',
    multiline: C_MULTILINE,
    word: '$',
    ignoresCase: true,
  },
  {
    names: 'ruby rb',
    extension: 'rb',
    keywords:
      'alias and attr_accessor begin break case class def defined do else elsif end ensure extend false for if in include module next nil not or puts raise redo require rescue retry return self super then true undef unless until when while yield',
    comments: '#',
    multiline: [['=begin', '=end']],
    word: '@$?!',
  },
  {
    names: 'sh bash shell zsh console dockerfile makefile powershell ps1',
    extension: 'sh',
    keywords:
      'alias break case cd continue declare do docker done echo elif else esac eval exec exit export fi for function git if in local npm pip read readonly return select set shift source sudo then trap unset until while FROM RUN COPY CMD ENV WORKDIR EXPOSE',
    comments: '#',
    word: '$-',
  },
  {
    names: 'sql postgres postgresql mysql sqlite plsql',
    extension: 'sql',
    keywords:
      'add all alter and any as asc begin between bigint boolean by case cast check column commit constraint create cross database date default delete desc distinct drop else end except exists false foreign from full function grant group having if ilike in index inner insert integer intersect interval into is join key left like limit not null numeric offset on or order outer over partition primary references returning right rollback select set table text then timestamp to true truncate union unique update using values varchar view when where window with',
    comments: '--',
    multiline: C_MULTILINE,
    ignoresCase: true,
  },
  {
    names: 'html xml svg vue markup xhtml',
    extension: 'html',
    keywords: '',
    comments: '',
    multiline: [['<!--', '-->']],
    word: '-:',
    isMarkup: true,
  },
  {
    names: 'css scss less',
    extension: 'css',
    keywords: '@media @import @layer @container @keyframes @font-face @supports !important from to',
    comments: '',
    multiline: C_MULTILINE,
    word: '-@!#.',
    hasKeys: true,
  },
  {
    names: 'json jsonc json5 jsonl',
    extension: 'json',
    keywords: 'true false null',
    comments: C_COMMENTS,
    multiline: C_MULTILINE,
    hasKeys: true,
  },
  {
    names: 'yaml yml toml ini',
    extension: 'yaml',
    keywords: 'true false null yes no on off',
    comments: '#',
    word: '-.',
    hasKeys: true,
  },
];
