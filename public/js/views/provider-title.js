import { h } from '../lib/h.js';
import { titleCell } from '../lib/row.js';

/**
 * The first cell of a provider: monogram, name and address.
 * @param {import('../lib/types.js').Provider} provider
 */
export function providerTitle(provider) {
  return h(
    'div',
    { class: 'with-mark' },
    h('span', { class: 'mono-mark', 'aria-hidden': 'true' }, monogram(provider.name)),
    titleCell(
      provider.name,
      h('span', { class: 'mono', title: provider.baseUrl }, hostOf(provider.baseUrl)),
      provider.type === 'chutes' && h('span', { class: 'badge' }, 'Chutes'),
    ),
  );
}

/**
 * Where an address leads; the rest of it is in the tip and in the form.
 * @param {string} url
 */
function hostOf(url) {
  return (URL.canParse(url) && new URL(url).host) || url;
}

/**
 * Two letters by which a name is found at a glance: `OpenRouter` is `Op`, `Google Gemini` is `GG`.
 * @param {string} name
 */
function monogram(name) {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length === 0) return '?';
  const letters =
    words.length === 1 ? [...words[0]].slice(0, 2) : words.slice(0, 2).map((word) => [...word][0]);
  return letters.join('');
}
