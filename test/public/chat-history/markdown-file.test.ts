import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chatOf, fileNameFor, messageOf, toMarkdown } from './modules.ts';

test('a chat becomes a Markdown document', () => {
  const file = { name: 'schema.sql', type: 'text/plain', size: 8 };
  const branch = [
    messageOf({ text: 'A query, please.', attachments: [file] }),
    messageOf({
      role: 'assistant',
      model: 'gpt-5.4',
      reasoning: 'Weeks\nfirst.',
      text: 'Here:\n\n```sql\nselect 1',
    }),
    messageOf({ text: 'Shorter' }),
    messageOf({ role: 'assistant', model: null, text: 'No', state: 'stopped' }),
  ];
  const text = toMarkdown(chatOf({ title: 'Weekly\n# users', system: 'Be brief.' }), branch);
  assert.equal(
    text,
    `# Weekly # users

## System prompt

Be brief.

## You

- File: schema.sql

A query, please.

## gpt-5.4

> Thoughts:
> Weeks
> first.

Here:

\`\`\`sql
select 1
\`\`\`

## You

Shorter

## Answer

No

*Stopped.*
`,
  );
});

test('no message takes the heading of the next one into its code', () => {
  const line = fc.constantFrom(
    '```',
    '````',
    '~~~',
    '~~~~',
    '```sql',
    '``` a`b',
    '  ```',
    '     ```',
    'text',
    '',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = toMarkdown(chatOf(), [messageOf({ text: lines.join('\n') }), messageOf({ text: 'End' })]);
      assert.ok(isOutsideCode(text, text.lastIndexOf('## You')), text);
    }),
  );
});

/** Reads fences as CommonMark 0.31.2 does, section 4.5. */
function isOutsideCode(text: string, position: number): boolean {
  let open: string | null = null;
  for (const line of text.slice(0, position).split('\n')) {
    const [, fence = '', rest = ''] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (fence === '') continue;
    if (open === null) open = fence.startsWith('`') && rest.includes('`') ? null : fence;
    else if (fence.startsWith(open) && rest.trim() === '') open = null;
  }
  return open === null;
}

test('file names are short and have letters, digits and hyphens only', () => {
  assert.equal(fileNameFor('Ohm’s law, exercises for 10b!', 'md'), 'ohm-s-law-exercises-for-10b.md');
  assert.equal(fileNameFor('../../etc/passwd', 'md'), 'etc-passwd.md');
  assert.equal(fileNameFor('Größe 漢字', 'md'), 'größe-漢字.md');
  assert.equal(fileNameFor('???', 'md'), 'chat.md');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (title) => {
      assert.match(fileNameFor(title, 'md'), /^[\p{L}\p{N}-]{1,60}\.md$/u);
    }),
  );
});
