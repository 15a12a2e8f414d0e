/** The tasks of a model, guessed from its name, and the two tasks that take a file. Has no DOM. */
import { parseJson, readFailure } from './chat-failure.js';

/** @typedef {'chat' | 'transcribe' | 'ocr'} Task */
/** @typedef {{ id: string, name: string, hasVision: boolean }} ChatModel */

export const TASKS = /** @type {const} */ ([
  { value: 'chat', label: 'Chat' },
  { value: 'transcribe', label: 'Transcribe' },
  { value: 'ocr', label: 'OCR' },
]);

/** Formats of `POST /v1/audio/transcriptions`. */
export const TRANSCRIPT_FORMATS = /** @type {const} */ (['json', 'text', 'srt', 'vtt', 'verbose_json']);

/**
 * Guesses the task from the name of a model.
 * @param {string} modelId
 * @returns {Task}
 */
export function guessTask(modelId) {
  if (/ocr/i.test(modelId)) return 'ocr';
  return /whisper|transcri|audio-?to-?text|speech-?to-?text|(^|[^a-z])(asr|stt)([^a-z]|$)/i.test(modelId)
    ? 'transcribe'
    : 'chat';
}

/**
 * Reads the answer to `GET /v1/models`.
 * @param {any} body
 * @returns {ChatModel[]}
 */
export function toChatModels(body) {
  const list = Array.isArray(body?.data) ? body.data : [];
  return list
    .filter((/** @type {any} */ model) => typeof model?.id === 'string')
    .map((/** @type {any} */ model) => ({
      id: model.id,
      name: typeof model.name === 'string' && model.name !== '' ? model.name : model.id,
      hasVision: model.vision === true,
    }));
}

/**
 * Converts an audio file or an image to text.
 * @param {{ send: import('./chat-request.js').Send, path: string, fields: Record<string, string>, file: File, signal: AbortSignal }} call
 *   empty fields are not sent
 * @returns {Promise<{ text: string, isCode: boolean }>} isCode: the text is subtitles or JSON
 * @throws {import('./chat-failure.js').ServerFailure}
 */
export async function convertFile({ send, path, fields, file, signal }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== '') form.append(name, value);
  form.append('file', file, file.name);
  const response = await send(path, { method: 'POST', body: form, signal });
  if (!response.ok) throw await readFailure(response);
  const text = await response.text();
  const parsed = response.headers.get('content-type')?.includes('json') ? parseJson(text) : undefined;
  const format = fields['response_format'];
  if (format === 'verbose_json' && parsed) return { text: JSON.stringify(parsed, null, 2), isCode: true };
  if (typeof parsed?.text === 'string') return { text: parsed.text, isCode: false };
  return { text: text.trimEnd(), isCode: format === 'srt' || format === 'vtt' };
}
