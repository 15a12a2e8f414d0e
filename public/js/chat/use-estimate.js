/** What the next message would take. Has no DOM. */
import { compact, requestCost } from '../lib/format.js';
import { costOf, estimateTokens } from './request/figures.js';

/** Tokens of an image, roughly: vendors count between 85 and 1,600. */
const IMAGE_TOKENS = 800;

/**
 * `next: ≈ 2,140 tokens in, $0.0064`; '' where nothing can be said.
 * @param {{
 *   models: readonly import('./types.js').Model[], system: string, pathTokens: number,
 *   draft: { text: string, files: readonly import('./files/attachment.js').Attachment[] },
 * }} request pathTokens: of the messages so far; models: all that are asked
 */
export function describeNext({ models, system, pathTokens, draft }) {
  const [model] = models;
  if (model?.kind !== 'chat' || (draft.text.trim() === '' && draft.files.length === 0)) return '';
  const files = draft.files.reduce((sum, file) => {
    if (file.kind === 'text') return sum + file.tokens;
    return sum + (file.kind === 'image' ? IMAGE_TOKENS : 0);
  }, 0);
  const tokens = pathTokens + estimateTokens(system) + estimateTokens(draft.text) + files;
  const costs = models.map(({ price }) => costOf(price, { promptTokens: tokens, completionTokens: 0 }));
  const sum = costs.reduce((total, cost) => (total === null || cost === null ? null : total + cost), 0);
  const money = sum === null ? '' : `, ${requestCost(sum)}`;
  return `next: ≈ ${compact(tokens)} tokens in${money}`;
}

/** @param {readonly import('./types.js').Message[]} path */
export function tokensOf(path) {
  return path.reduce((sum, { text }) => sum + estimateTokens(text), 0);
}
