/** New messages and the title of a new chat. Has no DOM. */
import { createId } from '../history/records.js';

/** @typedef {import('../types.js').Message} Message */

const TITLE_CHARS = 60;

/**
 * @param {Pick<Message, 'chatId' | 'parentId' | 'role'> & Partial<Message>} fields
 * @returns {Message}
 */
export function newMessage(fields) {
  return {
    id: createId(),
    text: '',
    reasoning: '',
    attachments: [],
    model: null,
    usage: null,
    costUsd: null,
    firstTokenMs: null,
    durationMs: null,
    createdAt: Date.now(),
    state: fields.role === 'user' ? 'done' : 'stopped',
    error: null,
    ...fields,
  };
}

/**
 * The title of a chat, from its first message: whole words of the first line, or the name of the file.
 * @param {string} text
 * @param {readonly { name: string }[]} files
 */
export function titleOf(text, files) {
  const line =
    text
      .trim()
      .split('\n', 1)[0]
      ?.replace(/^[#>*\-\s]+/, '')
      .trim() ||
    (files[0]?.name ?? 'New chat');
  const characters = [...line];
  if (characters.length <= TITLE_CHARS) return line;
  const cut = characters.slice(0, TITLE_CHARS).join('');
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), TITLE_CHARS / 2)).trimEnd()} …`;
}
