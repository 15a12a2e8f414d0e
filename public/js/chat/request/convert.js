/** Models that turn one thing into another: audio and images into text, text into speech and pictures. Has no DOM. */
import { parseJson, readFailure, ServerFailure } from './failure.js';

/** @typedef {import('../types.js').Send} Send */

/**
 * Converts an audio file or an image to text.
 * @param {{ send: Send, path: string, fields: Record<string, string>, file: File, signal: AbortSignal }} call
 *   empty fields are not sent
 * @returns {Promise<{ text: string, isCode: boolean }>} isCode: the text is subtitles or JSON
 * @throws {ServerFailure}
 */
export async function fileToText({ send, path, fields, file, signal }) {
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

/**
 * Reads a text aloud (`POST /v1/audio/speech`).
 * @param {{ send: Send, model: string, input: string, voice: string, signal: AbortSignal }} call
 * @returns {Promise<File>}
 * @throws {ServerFailure}
 */
export async function textToSpeech({ send, model, input, voice, signal }) {
  const response = await sendJson(send, '/v1/audio/speech', { model, input, voice }, signal);
  const blob = await response.blob();
  const type = blob.type.startsWith('audio/') ? blob.type : 'audio/mpeg';
  return new File([blob], `speech.${type.includes('wav') ? 'wav' : 'mp3'}`, { type });
}

/** The first bytes of picture files in base64. */
const PICTURE_TYPES = /** @type {const} */ ([
  ['iVBOR', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['UklGR', 'image/webp'],
]);

/**
 * Draws a picture (`POST /v1/images/generations`).
 * @param {{ send: Send, model: string, prompt: string, signal: AbortSignal }} call
 * @returns {Promise<{ files: File[], links: string[] }>} links: pictures that the provider keeps; the page loads nothing from there
 * @throws {ServerFailure}
 */
export async function textToPictures({ send, model, prompt, signal }) {
  // The newer models answer with base64 always, and refuse to be asked for it.
  const format = /dall-?e/i.test(model) ? { response_format: 'b64_json' } : {};
  const response = await sendJson(send, '/v1/images/generations', { model, prompt, ...format }, signal);
  const text = await response.text();
  const data = parseJson(text)?.data;
  if (!Array.isArray(data)) throw new ServerFailure(`The answer holds no picture: ${text.slice(0, 500)}`);
  /** @type {File[]} */
  const files = [];
  /** @type {string[]} */
  const links = [];
  for (const { b64_json: base64, url } of data.slice(0, 10)) {
    const type = PICTURE_TYPES.find(([start]) => typeof base64 === 'string' && base64.startsWith(start))?.[1];
    if (type) {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      files.push(new File([bytes], `picture-${files.length + 1}.${type.slice(6)}`, { type }));
    } else if (typeof url === 'string' && /^https?:\/\//.test(url)) links.push(url);
  }
  return { files, links };
}

/**
 * @param {Send} send
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} signal
 */
async function sendJson(send, path, body, signal) {
  const headers = { 'content-type': 'application/json' };
  const response = await send(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!response.ok) throw await readFailure(response);
  return response;
}
