/** An answer with everything that Markdown in the chat can have. */
export const SAMPLE_ANSWER = `## Plan

Count **each** user *once*; \`date_trunc('week', x)\` gives ~~no~~ the ***Monday***. See [docs](https://example.com/x "t"),
<https://example.org> and https://example.net/a_b. Prices are $5 and $10, $x^2$ is not.[^1] \\(\\frac{a}{b}\\)

1. First
   - nested *item*
   - [x] done
   - [ ] open
2. Second

   loose paragraph
3. Third

> A quote
> goes on
> > in a quote

\`\`\`sql
select date_trunc('week', created_at)::date as week, count(distinct user_id) -- keeps
from events where x >= 12.5 group by 1; /* over
lines */ select 'a';
\`\`\`

    indented code

\`\`\`klingon
nuqneH
\`\`\`

| Name | Sum |
|:-----|----:|
| a\\|b | **1** |
| c | 2 | more |

Heading
-------

---

$$
\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}
$$

\\[ \\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix} \\]

$$ \\unknown{x} $$

![an image](https://example.com/p.png) &amp; line<br>break

- one
- two

  - deep
- three

[^1]: A note.

The end.
`;

const LENGTH = 200_000;
const fill = (piece: (index: number) => string): string => {
  let text = '';
  for (let index = 0; text.length < LENGTH; index += 1) text += piece(index);
  return text;
};

const many = (count: number, piece: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => piece(index)).join('');

/** Structures that are shown in several parts, and one more after each. */
export const PARTED_ANSWER = [
  many(50, (n) => `Paragraph ${n}\n\n`),
  many(100, (n) => `${n + 3}. item *${n}*\n`),
  'Then\n',
  many(100, (n) => `- item ${n}\n  - nested ${n}\n`),
  '- one\n',
  many(50, (n) => `\n  - deep ${n}\n`),
  'Then\n',
  many(40, (n) => `> quoted ${n}\n>\n`),
  'Then\n',
  `| a | b | c |\n|---|---|--:|\n${many(170, (n) => `| row ${n} | ${'text '.repeat(n % 7)} | ${n} |\n`)}`,
  '\nThe end.\n',
].join('\n');

/** Answers of 200 KB, each nearly one block. */
export const LONG_ANSWERS: readonly [what: string, text: string][] = [
  ['everything in turn', fill(() => SAMPLE_ANSWER)],
  [
    'code',
    `\`\`\`ts\n${fill((n) => `export const value${n} = compute('${n}', ${n}); // line ${n}\n`)}\`\`\``,
  ],
  ['a list', fill((n) => `- item ${n} with **bold** and \`code\`\n  - nested ${n}\n`)],
  [
    'a table',
    `| a | b |\n|---|---|\n${fill((n) => `| row ${n} | some *text* and more of it, number ${n} |\n`)}`,
  ],
  ['a line', fill((n) => `word${n} **bold${n}** `)],
  ['lines of a paragraph', fill((n) => `line ${n} with *marks* and [a link](https://example.com/${n})\n`)],
  ['a quote', fill((n) => `> line ${n} of a quote\n>\n`)],
];
