/** What the demo provider answers to whoever asks for Markdown: one of each element that a chat page shows. */
export const MARKDOWN_SAMPLE = `# A sample of Markdown

Some words are **bold**, some *slanted*, and \`inline code\` stands apart. A [link](https://example.com/) leads elsewhere.

## A list

- One address for all providers
- Keys of their own for each user
  - with limits
- No dependencies

1. Add a provider.
2. Add a model.
3. Ask it something.

## A code block

\`\`\`javascript
const answer = await client.chat.completions.create({
  model: 'demo-chat',
  messages: [{ role: 'user', content: 'Hello <world> & everybody' }],
});
\`\`\`

## A table

| Endpoint | Streams | Body |
|---|:---:|---|
| \`/v1/chat/completions\` | yes | JSON |
| \`/v1/embeddings\` | no | JSON |
| \`/v1/audio/transcriptions\` | yes | form |

> A quotation ends the sample.

---

That was all.
`;
