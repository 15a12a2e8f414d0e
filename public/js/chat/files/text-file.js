/** Text files as part of a message: a fenced block under the file's name. Has no DOM. */

/** Languages by extension, for the label of the fence. */
const LANGUAGES = new Map(
  Object.entries({
    c: 'c',
    cc: 'cpp',
    cpp: 'cpp',
    cs: 'csharp',
    css: 'css',
    csv: 'csv',
    go: 'go',
    h: 'c',
    hpp: 'cpp',
    htm: 'html',
    html: 'html',
    java: 'java',
    js: 'js',
    json: 'json',
    jsx: 'jsx',
    md: 'markdown',
    mjs: 'js',
    php: 'php',
    py: 'python',
    rb: 'ruby',
    rs: 'rust',
    sh: 'sh',
    sql: 'sql',
    ts: 'ts',
    tsx: 'tsx',
    xml: 'xml',
    yaml: 'yaml',
    yml: 'yaml',
  }),
);
const CJK = /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]/g;
const CHARS_PER_TOKEN = 4;

/**
 * About how many tokens a text has: four characters each, one for each CJK character. Tokenizers differ by a third.
 * @param {string} text
 * @returns {number}
 */
export function estimateTokens(text) {
  const wide = text.match(CJK)?.length ?? 0;
  return Math.ceil((text.length - wide) / CHARS_PER_TOKEN) + wide;
}

/**
 * A text file as Markdown. The fence is longer than any run of backticks in the text, so that the text cannot end it.
 * @param {string} name made plain by `toPlainName`
 * @param {string} text
 * @returns {string}
 */
export function toFencedText(name, text) {
  let longest = 2;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = '`'.repeat(longest + 1);
  const language = LANGUAGES.get(/\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? '') ?? '';
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${name.replaceAll('`', "'")}:\n\n${fence}${language}\n${text}${end}${fence}`;
}
