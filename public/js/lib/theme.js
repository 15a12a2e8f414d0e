import { h } from './h.js';
import { icon } from './icons.js';

/** @typedef {'system' | 'light' | 'dark'} Theme */

/** @type {Record<Theme, { next: Theme, icon: import('./icons.js').IconName }>} */
const THEMES = {
  system: { next: 'light', icon: 'system' },
  light: { next: 'dark', icon: 'sun' },
  dark: { next: 'system', icon: 'moon' },
};

/** @returns {Theme} */
export function currentTheme() {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/**
 * Sets the theme and stores it.
 * @param {Theme} theme
 */
export function setTheme(theme) {
  apply(theme);
  try {
    if (theme === 'system') localStorage.removeItem('theme');
    else localStorage.setItem('theme', theme);
  } catch {
    // Storage may be blocked. Then the theme lasts until the page is closed.
  }
}

/** @param {string | null} theme */
function apply(theme) {
  const root = document.documentElement;
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  else delete root.dataset.theme;
  dispatchEvent(new Event('theme-changed'));
}

addEventListener('storage', (event) => {
  if (event.key === 'theme') apply(event.newValue);
});

/** A button that switches from system to light to dark. */
export function themeButton() {
  const button = h('button', { type: 'button', class: 'btn quiet square' });
  const render = () => {
    const theme = currentTheme();
    const label = `Theme: ${theme}`;
    button.replaceChildren(icon(THEMES[theme].icon));
    button.setAttribute('aria-label', label);
    button.title = label;
  };
  button.addEventListener('click', () => setTheme(THEMES[currentTheme()].next));
  addEventListener('theme-changed', render);
  render();
  return button;
}
