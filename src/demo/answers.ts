import { cutText } from '../shown-text.ts';
import type { Conversation } from './conversation.ts';
import { count } from './words.ts';

const MAX_ECHO_LENGTH = 600;
const MAX_COUNT = 500;

const MARKDOWN_SAMPLE = `# A sample of Markdown

Some words are **bold**, some *slanted*, and \`inline code\` stands apart. A [link](https://example.com/) leads elsewhere.

1. Add a provider.
2. Add a model.
   - The model has the name that clients use.

\`\`\`javascript
const messages = [{ role: 'user', content: 'Hello <world> & everybody' }];
const answer = await client.chat.completions.create({ model: 'demo-chat', messages });
\`\`\`

| Endpoint | Streams |
|---|:---:|
| \`/v1/chat/completions\` | yes |
| \`/v1/embeddings\` | no |

> A quotation ends the sample.
`;

/** Short questions with a fixed answer; the first match counts. */
const KNOWN: readonly (readonly [question: RegExp, answer: (match: RegExpExecArray) => string])[] = [
  [/^$/, () => 'You sent no text. Write something, and I answer.'],
  [/\bmarkdown\b/i, () => MARKDOWN_SAMPLE],
  [
    /^(?:please\s+)?(?:say|repeat(?:\s+after\s+me)?)\b[:,\s]+(.+)$/is,
    ([, words = '']) => words.replace(/^["“'](.*)["”']$/s, '$1'),
  ],
  [/\bcount\s+(?:from\s+(?:1|one)\s+)?to\s+(\d{1,6})\b/i, ([, last]) => countTo(Number(last))],
  [/\bcapital\s+(?:city\s+)?of\s+france\b/i, () => 'The capital of France is Paris.'],
  [/(\d{1,9})\s*\+\s*(\d{1,9})/, ([, a, b]) => `${a} + ${b} = ${Number(a) + Number(b)}`],
  [/(\d{1,9})\s*[*x×]\s*(\d{1,9})/, ([, a, b]) => `${a} × ${b} = ${Number(a) * Number(b)}`],
  [
    /^(?:hi|hello|hey|good\s+(?:morning|day|evening))\b/i,
    () =>
      'Hello! I am the demo provider built into iPin Proxy. Ask me anything: I answer without leaving this machine.',
  ],
];
const MAX_QUESTION_LENGTH = 200;

/** Answers the last user message; the same conversation and model always get the same words. */
export function answerTo(conversation: Conversation, model: string): string {
  const { attachments, toolResult } = conversation;
  const text = conversation.text.trim();
  if (toolResult !== null) return `The tool answered: ${cutText(toolResult, MAX_ECHO_LENGTH)}`;
  if (model === 'demo-ocr') {
    const lines = attachments.map((line) => line.replace(/^an? /, ''));
    return lines.join('\n\n') || 'Send me an image, and I describe it.';
  }
  if (attachments.length > 0) {
    const lines = attachments.map((line) => `- ${line}`).join('\n');
    return `I received ${count(attachments.length, 'attachment')}:\n\n${lines}${text === '' ? '' : `\n\n${echo(text)}`}`;
  }
  return knownAnswer(text) ?? usualAnswer(text, conversation.system);
}

/** What the reasoning model "thinks" before it answers. */
export function thoughtsOn(conversation: Conversation): string {
  return `The user wrote ${countWords(conversation.text)}. I need no tool for that, so I answer at once.`;
}

function knownAnswer(text: string): string | null {
  if (text.length > MAX_QUESTION_LENGTH) return null;
  for (const [question, answer] of KNOWN) {
    const match = question.exec(text);
    if (match !== null) return answer(match);
  }
  return null;
}

function usualAnswer(text: string, system: string): string {
  const instructions = system === '' ? '' : `\n\nMy instructions: “${cutText(system, MAX_ECHO_LENGTH)}”`;
  return `${echo(text)}

That is ${countWords(text)} and ${count(text.length, 'character')}. I am the demo provider built into iPin Proxy: no model thinks behind me, and the same question always gets the same answer. Ask me for “markdown” to see formatted text, or send me an image.${instructions}`;
}

function echo(text: string): string {
  return `You wrote: “${cutText(text, MAX_ECHO_LENGTH)}”`;
}

function countWords(text: string): string {
  return count(text.match(/\S+/g)?.length ?? 0, 'word');
}

function countTo(last: number): string {
  return Array.from({ length: Math.min(last, MAX_COUNT) }, (_, index) => index + 1).join(', ');
}
