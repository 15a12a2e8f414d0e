/** One question to a model: what the model is for decides what is asked. Writes the answer into a message. Has no DOM. */
import { completeChat, toChatBody } from './completion.js';
import { fileToText, textToPictures, textToSpeech } from './convert.js';
import { costOf } from './figures.js';
import { toRequestMessages } from './messages.js';
import { mergeSources } from './sources.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('../types.js').Attachment} Attachment
 * @typedef {{ model: import('../types.js').Model, settings: import('../types.js').ChatSettings,
 *   fileSettings: import('../types.js').FileSettings }} Choices
 * @typedef {{ loadFile: (attachment: Attachment) => Promise<File | null>, keepFile: (chatId: string, file: File) => Promise<Attachment> }} Files
 *   keepFile: makes an attachment of a file that a model has made
 * @typedef {{ message: Message, path: readonly Message[], choices: Choices, send: import('../types.js').Send,
 *   files: Files, signal: AbortSignal, onPiece: (kind: 'text' | 'thought' | 'tools', piece: string) => void }} Question
 *   path: from the first message of the chat to the question; onPiece: the message has grown
 */

/** Notes below an answer, by `finish_reason`. */
const NOTES = new Map([
  ['length', 'The answer was cut off: it reached the maximum number of tokens.'],
  ['content_filter', 'The content filter of the provider cut off the answer.'],
]);

/**
 * Asks and fills the message: text, files, figures and note. What came before an error stays in the message.
 * @param {Question} question
 * @returns {Promise<void>}
 * @throws {import('./failure.js').ServerFailure} or an AbortError when aborted
 */
export async function ask(question) {
  const { message, choices } = question;
  const startMs = performance.now();
  try {
    if (choices.model.kind === 'chat') await chat(question, startMs);
    else await convert(question);
  } finally {
    message.durationMs = performance.now() - startMs;
  }
}

/** @param {Question} question @param {number} startMs */
async function chat({ message, path, choices, send, files, signal, onPiece }, startMs) {
  const { model, settings } = choices;
  const messages = await toRequestMessages(path, { hasVision: model.hasVision, loadFile: files.loadFile });
  const body = toChatBody({ model: model.id, messages, settings });
  const began = () => {
    message.firstTokenMs ??= performance.now() - startMs;
  };
  const outcome = await completeChat({
    send,
    body,
    signal,
    listener: {
      onText(text) {
        began();
        if (message.reasoning !== '' && message.text === '')
          message.reasoningMs = performance.now() - startMs;
        message.text += text;
        onPiece('text', text);
      },
      onThought(text) {
        began();
        message.reasoning += text;
        onPiece('thought', text);
      },
      onToolCalls(calls) {
        began();
        message.toolCalls = calls;
        onPiece('tools', '');
      },
      onSources(sources) {
        message.sources = mergeSources(message.sources ?? [], sources);
      },
    },
  });
  message.usage = outcome.usage;
  message.costUsd = outcome.costUsd ?? (outcome.usage ? costOf(model.price, outcome.usage) : null);
  if (!outcome.isComplete) message.note = 'The answer is incomplete: the server closed the stream early.';
  else
    message.note =
      NOTES.get(outcome.finishReason ?? '') ?? (message.firstTokenMs === null ? 'The answer is empty.' : '');
}

/** @param {Question} question */
async function convert({ message, path, choices, send, files, signal, onPiece }) {
  const { model, fileSettings } = choices;
  const keep = (/** @type {File} */ file) => files.keepFile(message.chatId, file);
  const question = path.at(-1);
  const text = question?.text.trim() ?? '';
  if (model.kind === 'speech') {
    const file = await textToSpeech({
      send,
      model: model.id,
      input: text,
      voice: fileSettings.voice,
      signal,
    });
    message.attachments = [await keep(file)];
  } else if (model.kind === 'image') {
    const pictures = await textToPictures({ send, model: model.id, prompt: text, signal });
    for (const file of pictures.files) message.attachments.push(await keep(file));
    message.sources = pictures.links.map((url, at) => ({ url, title: `Picture ${at + 1} at the provider` }));
    if (pictures.files.length + pictures.links.length === 0) message.note = 'The model made no picture.';
  } else {
    const [attachment] = question?.attachments ?? [];
    const file = attachment ? await files.loadFile(attachment) : null;
    if (!file) throw new Error('The file is not in this browser any more. Attach it again.');
    await readFile({ message, model, fileSettings, text, file, send, signal });
    if (!message.isPlain) onPiece('text', message.text);
  }
}

/**
 * @param {{ message: Message, model: import('../types.js').Model, fileSettings: import('../types.js').FileSettings,
 *   text: string, file: File, send: import('../types.js').Send, signal: AbortSignal }} job
 */
async function readFile({ message, model, fileSettings, text, file, send, signal }) {
  const isOcr = model.kind === 'ocr';
  const { language, format } = fileSettings;
  const fields = { model: model.id, prompt: text, ...(isOcr ? {} : { language, response_format: format }) };
  const path = isOcr ? '/v1/ocr' : '/v1/audio/transcriptions';
  const found = await fileToText({ send, path, fields, file, signal });
  message.text = found.isCode ? `~~~~\n${found.text}\n~~~~` : found.text;
  message.isPlain = !found.isCode;
  if (found.text === '') message.note = 'No text was found.';
}
