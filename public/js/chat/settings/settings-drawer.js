/** The drawer with the settings: what is sent along, presets and the key. */
import { createDrawer } from '../../lib/drawer.js';
import { h } from '../../lib/h.js';

/**
 * @param {{
 *   root: HTMLElement, button: HTMLElement, sections: readonly (readonly [title: string, content: HTMLElement])[],
 *   onToggle: () => void,
 * }} options root: the drawer is its last child; button: opens and closes it; onToggle: called after it opened or closed
 */
export function createSettingsDrawer({ root, button, sections, onToggle }) {
  const drawer = createDrawer(root);

  function open() {
    if (drawer.isOpen()) return;
    button.setAttribute('aria-expanded', 'true');
    drawer.open({
      label: 'Settings',
      title: 'Settings',
      body: sections.map(([title, content]) =>
        h('section', { class: 'section' }, h('h3', null, title), content),
      ),
      onClose() {
        button.setAttribute('aria-expanded', 'false');
        onToggle();
      },
    });
    onToggle();
  }

  // In its fields Escape closes it too, and does not stop an answer.
  drawer.body.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    drawer.close();
  });
  return {
    open,
    close: drawer.close,
    isOpen: drawer.isOpen,
    toggle() {
      if (drawer.isOpen()) drawer.close();
      else open();
    },
  };
}
