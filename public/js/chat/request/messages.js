/** The messages of a request, from the messages of a chat. */
/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../files/attachment.js').Attachment} ReadAttachment */

/**
 * The messages for `POST /v1/chat/completions`. Questions without an answer are left out, because they would cost tokens in
 * each later request; the last one is the question to be answered.
 * @param {readonly Message[]} path from the first message to the question
 * @param {{ hasVision: boolean, loadFile: (attachment: import('../types.js').Attachment) => Promise<File | null> }} options
 *   hasVision: false leaves out the images
 * @returns {Promise<{ role: string, content: string | object[] }[]>}
 */
export async function toRequestMessages(path, { hasVision, loadFile }) {
  const sent = [];
  for (const message of answeredOnly(path)) {
    const { role, text } = message;
    if (message.attachments.length === 0) sent.push({ role, content: text });
    else sent.push({ role, content: await withFiles(message) });
  }
  return sent.filter(({ content }) => content.length > 0);

  /** @param {Message} message */
  async function withFiles({ text, attachments }) {
    const { readAttachment, toMessageContent } = await import('../files/attachment.js');
    /** @type {ReadAttachment[]} */
    const read = [];
    const names = [];
    for (const attachment of attachments) {
      const file = await loadFile(attachment);
      const one = file && (await readAttachment(file).catch(() => null));
      const isSent = one && one.kind !== 'audio' && (one.kind !== 'image' || hasVision);
      if (isSent) read.push(one);
      else names.push(`[${attachment.name}]`);
    }
    // The name stands for a file that is not sent, so that the message is not empty.
    return toMessageContent(text === '' && read.length === 0 ? names.join(' ') : text, read);
  }
}

/** @param {readonly Message[]} path */
function answeredOnly(path) {
  return path.filter((message, index) => {
    if (message.role === 'assistant') return message.text !== '';
    const next = path[index + 1];
    return next === undefined || next.role !== 'assistant' || next.text !== '';
  });
}
