import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';

/** The camera sign of a model that takes images. */
export function visionMark() {
  return h(
    'span',
    { class: 'vision-mark', title: 'Takes images' },
    icon('camera'),
    h('span', { class: 'sr' }, 'takes images'),
  );
}
