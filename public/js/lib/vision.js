import { h } from './h.js';
import { icon } from './icons.js';

/** The badge of a model that takes images. */
export function visionBadge() {
  return h(
    'span',
    { class: 'badge', title: 'Takes images' },
    icon('camera'),
    h('span', { class: 'sr' }, 'Takes images'),
  );
}
