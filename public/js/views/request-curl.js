import { baseUrl } from '../lib/api.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/** Sent as forms. */
const FORMS = /^(audio\/(transcriptions|translations)|images\/(edits|variations)|ocr)$/;

/**
 * A request as a command for the shell, with the parts that the log has: neither key nor content.
 * @param {LoggedRequest} request
 */
export function curlOf({ endpoint, model, stream }) {
  const start = [`curl ${quoted(`${baseUrl()}/${endpoint}`)}`, '-H "Authorization: Bearer $IPIN_KEY"'];
  const name = model ?? '';
  if (FORMS.test(endpoint)) {
    const file = endpoint.startsWith('images/') ? 'image' : 'file';
    return [...start, `-F ${quoted(`model=${name}`)}`, `-F ${file}=@FILE`].join(' \\\n  ');
  }
  const body = { model: name, ...contentOf(endpoint), ...(stream && { stream: true }) };
  return [...start, "-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`].join(
    ' \\\n  ',
  );
}

/** @param {string} endpoint @returns {Record<string, unknown>} */
function contentOf(endpoint) {
  const messages = [{ role: 'user', content: '…' }];
  if (endpoint === 'chat/completions') return { messages };
  if (endpoint === 'messages') return { max_tokens: 1024, messages };
  if (endpoint === 'completions' || endpoint === 'images/generations') return { prompt: '…' };
  if (endpoint === 'rerank') return { query: '…', documents: ['…'] };
  return { input: '…' };
}

/** In single quotes the shell changes nothing. @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
