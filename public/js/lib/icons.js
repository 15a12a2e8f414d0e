import { svg } from './h.js';

/** SVG paths on a 24 x 24 grid, with round strokes. */
const PATHS = {
  overview: 'M3.5 13h7V3.5h-7zM13.5 20.5h7V11h-7zM13.5 3.5v4h7v-4zM3.5 16.5v4h7v-4z',
  server: 'M4 4h16v6.5H4zM4 13.5h16V20H4zM8 7.25h.01M8 16.75h.01',
  cube: 'M12 2.5 20.5 7v10L12 21.5 3.5 17V7zM3.5 7l8.5 4.75L20.5 7M12 11.75v9.75',
  key: 'M15 9h.01M15 3a6 6 0 1 1-5.2 9L3 18.8V21h3v-2h2v-2h2l2-2.1A6 6 0 0 1 15 3z',
  users:
    'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21v-1a7 7 0 0 1 14 0v1M16 3.3a4 4 0 0 1 0 7.4M19 14.5a7 7 0 0 1 3 5.5v1',
  chat: 'M4 4h16v12H10l-5 4v-4H4z',
  settings: 'M4 6h10M18 6h2M4 12h2M10 12h10M4 18h7M15 18h5M16 4v4M8 10v4M13 16v4',
  sun: 'M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4',
  moon: 'M20.5 14.2A8.5 8.5 0 1 1 9.8 3.5a7 7 0 0 0 10.7 10.7z',
  system: 'M3 4h18v12H3zM8 20h8M12 16v4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M4.5 12.5 10 18 19.5 7',
  close: 'M6 6l12 12M18 6 6 18',
  edit: 'M4 20h4L19.5 8.5l-4-4L4 16zM13.5 6.5l4 4',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5',
  camera: 'M4 7h3.5L9 4.5h6L16.5 7H20v12H4zM12 16.5a3.75 3.75 0 1 0 0-7.5 3.75 3.75 0 0 0 0 7.5z',
  warning: 'M12 3.5 22 20.5H2zM12 10v4.5M12 17.5h.01',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.5h.01',
  logout: 'M14 4H5v16h9M10 12h11M17.5 8.5 21 12l-3.5 3.5',
  download: 'M12 4v11M7.5 10.5 12 15l4.5-4.5M4 20h16',
  upload: 'M12 15V4M7.5 8.5 12 4l4.5 4.5M4 20h16',
  refresh: 'M20 11a8 8 0 0 0-14.3-4L4 9M4 4v5h5M4 13a8 8 0 0 0 14.3 4L20 15M20 20v-5h-5',
  bolt: 'M13 2.5 4.5 14H11l-1 7.5L18.5 10H12z',
  audio: 'M4 10v4h4l5 4V6L8 10zM16.5 8.5a5 5 0 0 1 0 7M19.5 5.5a9 9 0 0 1 0 13',
  image: 'M4 4h16v16H4zM4 16l5-5 4.5 4.5L16 13l4 4M15.5 8.5h.01',
  send: 'M12 20V5M5.5 11 12 4.5l6.5 6.5',
  stop: 'M6.5 6.5h11v11h-11z',
  lock: 'M5 11h14v10H5zM8 11V7.5a4 4 0 0 1 8 0V11',
  chevron: 'M9 6l6 6-6 6',
  up: 'M6 15l6-6 6 6',
  down: 'M6 9l6 6 6-6',
  usage: 'M4 20.5V11M9.5 20.5V4M15 20.5v-7M20.5 20.5V8',
  requests: 'M8.5 6H21M8.5 12H21M8.5 18H21M3.5 6h.01M3.5 12h.01M3.5 18h.01',
  alert: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.5v5.5M12 16.5h.01',
  ok: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12.5l3 3 5.5-6',
  left: 'M15 6l-6 6 6 6',
  sort: 'M12 5v14M6 13l6 6 6-6',
  updown: 'M8 10l4-4 4 4M8 14l4 4 4-4',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  grip: 'M8 5h.01M16 5h.01M8 12h.01M16 12h.01M8 19h.01M16 19h.01',
  attach:
    'M20 11.5l-8.3 8.3a5 5 0 0 1-7-7l8.8-8.9a3.4 3.4 0 0 1 4.8 4.8l-8.8 8.9a1.7 1.7 0 0 1-2.4-2.4L14.8 7.5',
  columns: 'M3.5 4.5h7v15h-7zM13.5 4.5h7v15h-7z',
  pin: 'M9 3.5h6l-.8 6 3.3 3.5v1.5h-11V13l3.3-3.5zM12 14.5v6',
  menu: 'M4 7h16M4 12h16M4 17h16',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17',
  out: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  pause: 'M8.5 6v12M15.5 6v12',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.5l3.5 2',
  wrap: 'M4 6h16M4 12h13a3 3 0 0 1 0 6h-4M15 15.5 12.5 18l2.5 2.5M4 18h4',
  bulb: 'M9 18h6M10 21h4M12 3a6 6 0 0 0-3.6 10.8c.4.3.6.8.6 1.2h6c0-.4.2-.9.6-1.2A6 6 0 0 0 12 3z',
  calendar: 'M4 5.5h16V20H4zM4 10h16M8 3v4M16 3v4',
  play: 'M8 5.5v13l10.5-6.5z',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
};

/** Made of dots alone. @type {ReadonlySet<string>} */
const BOLD = new Set(['more', 'grip']);

/** @typedef {keyof typeof PATHS} IconName */

/** One element per icon: cloning is cheaper than building. @type {Map<IconName, SVGElement>} */
const ICONS = new Map();

/**
 * A decorative icon in the size and colour of the surrounding text. The text beside it, or its button, has the
 * accessible name.
 * @param {IconName} name
 */
export function icon(name) {
  let element = ICONS.get(name);
  if (element === undefined) {
    element = svg(
      'svg',
      { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' },
      svg('path', { d: PATHS[name], ...(BOLD.has(name) && { 'stroke-width': 2.5 }) }),
    );
    ICONS.set(name, element);
  }
  return element.cloneNode(true);
}
