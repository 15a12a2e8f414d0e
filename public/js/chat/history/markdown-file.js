/** @typedef {import('./types.js').Chat} Chat */
/** @typedef {import('./types.js').Message} Message */

const HEADINGS = { system: 'System prompt', user: 'You', assistant: 'Answer' };

/**
 * A chat as a Markdown document: the branch that is shown.
 * @param {Chat} chat
 * @param {readonly Message[]} branch
 */
export function toMarkdown(chat, branch) {
  const system = chat.system.trim() === '' ? [] : [`## ${HEADINGS.system}`, closeFence(chat.system.trim())];
  const parts = [`# ${oneLine(chat.title)}`, ...system, ...branch.flatMap(messageParts)];
  return `${parts.join('\n\n')}\n`;
}

/** @param {Message} message */
function messageParts({ role, model, reasoning, text, attachments, state }) {
  const heading = role === 'assistant' && model ? oneLine(model) : HEADINGS[role];
  const files = attachments.map(({ name }) => `- File: ${oneLine(name)}`).join('\n');
  const thoughts = reasoning.trim() === '' ? '' : `Thoughts:\n${reasoning.trim()}`.replace(/^/gm, '> ');
  const ending = state === 'done' ? '' : state === 'stopped' ? '*Stopped.*' : '*This answer failed.*';
  return [`## ${heading}`, files, thoughts, closeFence(text.trim()), ending].filter((part) => part !== '');
}

/**
 * Closes a block of code that the text leaves open, or it would take in the rest of the document (CommonMark 0.31.2, 4.5).
 * @param {string} text
 */
function closeFence(text) {
  let open = '';
  for (const [, fence, info] of text.matchAll(/^ {0,3}(`{3,}|~{3,})(.*)$/gm)) {
    if (open === '') open = fence[0] === '`' && info.includes('`') ? '' : fence;
    else if (fence[0] === open[0] && fence.length >= open.length && info.trim() === '') open = '';
  }
  return open === '' ? text : `${text}\n${open}`;
}

/** @param {string} text */
function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}

/**
 * A file name for a title: letters, digits and hyphens.
 * @param {string} title
 * @param {string} extension
 */
export function fileNameFor(title, extension) {
  const letters = [...title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-')].slice(0, 60).join('');
  return `${letters.replace(/^-+|-+$/g, '') || 'chat'}.${extension}`;
}
