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
  const tokens =
    pathTokens + (pathTokens === 0 ? estimateTokens(system) : 0) + estimateTokens(draft.text) + files;
  const costs = models.map(({ price }) => costOf(price, { promptTokens: tokens, completionTokens: 0 }));
  const sum = costs.reduce((total, cost) => (total === null || cost === null ? null : total + cost), 0);
  const money = sum === null ? '' : `, ${requestCost(sum)}`;
  return `next: ≈ ${compact(tokens)} tokens in${money}`;
}

/**
 * The tokens of the messages so far: as the provider counted them, and estimates for what came after that.
 * @param {readonly import('./types.js').Message[]} path
 */
export function tokensOf(path) {
  const at = path.findLastIndex(({ usage }) => usage?.promptTokens);
  const counted = path[at]?.usage;
  const known = (counted?.promptTokens ?? 0) + (counted?.completionTokens ?? 0);
  return path.slice(at + 1).reduce((sum, { text }) => sum + estimateTokens(text), known);
}
