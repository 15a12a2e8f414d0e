import { clockTime, dateTime, milliseconds } from '../lib/format.js';
import { h } from '../lib/h.js';
import { openLink } from '../lib/row.js';
import { costText, tokensText, triesBadge } from './request-cells.js';
import { kindOf, reasonOf } from './request-words.js';
import { keyOf, OWN_NAMES } from './traffic-names.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/**
 * @typedef {{
 *   limit: number, providerName?: (id: string) => string, open?: { href: (entry: LoggedRequest) => string, run: (entry: LoggedRequest) => void },
 *   onChange?: (entries: readonly LoggedRequest[]) => void,
 * }} LatestOptions providerName: without it there is no column of providers
 */

/**
 * A table of the latest requests, newest first. New ones are added at the top; while somebody points at a row or has the
 * focus in it, they wait, so that no row moves away.
 * @param {LatestOptions} options
 */
export function createLatestRequests(options) {
  /** @type {LoggedRequest[]} */
  let entries = [];
  /** Not shown yet, oldest first. @type {LoggedRequest[]} */
  let waiting = [];
  const body = h('tbody');
  const table = h(
    'table',
    { class: 'table dense latest' },
    h('caption', { class: 'sr' }, 'Latest requests, newest first'),
    h('thead', null, h('tr', null, ...headings(options))),
    body,
  );
  const element = h('div', { class: 'table-box' }, table);
  body.addEventListener('pointerleave', flush);
  body.addEventListener('focusout', () => setTimeout(flush, 0));

  function flush() {
    if (waiting.length === 0 || isHeld(body)) return;
    const fresh = waiting.toReversed();
    waiting = [];
    entries = [...fresh, ...entries].slice(0, options.limit);
    body.prepend(...fresh.slice(0, options.limit).map((entry) => row(entry, options, true)));
    while (body.rows.length > entries.length) body.rows[body.rows.length - 1].remove();
  }

  return {
    element,
    /** Those that are shown, the newest first. */
    entries: () => entries,
    /** The link of a row; null: it is not here. @param {string} id @returns {HTMLElement | null} */
    linkOf: (id) => body.querySelector(`[data-request="${CSS.escape(id)}"]`),
    /** Replaces all rows, if they are not the same. @param {readonly LoggedRequest[]} next newest first */
    show(next) {
      const latest = next.slice(0, options.limit);
      const isSame =
        latest.length === entries.length && latest.every(({ id }, index) => id === entries[index].id);
      if (isSame) return;
      waiting = [];
      entries = latest;
      body.replaceChildren(...entries.map((entry) => row(entry, options, false)));
    },
    /** @param {LoggedRequest} entry */
    add(entry) {
      if ([...entries, ...waiting].some(({ id }) => id === entry.id)) return;
      waiting = [...waiting, entry].slice(-options.limit);
      flush();
    },
  };
}

/** @param {HTMLElement} body */
function isHeld(body) {
  return body.matches(':hover') || body.contains(document.activeElement);
}

/** @param {LatestOptions} options */
function headings({ providerName }) {
  const head = (/** @type {string} */ text, /** @type {string} */ className = '') =>
    h('th', { scope: 'col', class: className }, text);
  return [
    head('Time', 'c1 w-time'),
    head('Status', 'c1'),
    head('Model'),
    head('Key', 'c1'),
    ...(providerName ? [head('Provider', 'c1 c2')] : []),
    head('Tokens in → out', 'c1 c2 r'),
    head('First token', 'c1 c2 c3 r'),
    head('Total', 'c1 r'),
    head('≈ Cost', 'r'),
  ];
}

/**
 * @param {LoggedRequest} entry
 * @param {LatestOptions} options
 * @param {boolean} isFresh
 */
function row(entry, options, isFresh) {
  const time = h('time', { datetime: entry.at, title: dateTime(entry.at) }, clockTime(entry.at));
  const total = milliseconds(entry.ms);
  return h(
    'tr',
    { class: isFresh ? 'fresh' : null },
    h('td', { class: 'c1 num muted' }, time),
    h('td', { class: 'c1' }, statusCell(entry)),
    h('td', null, modelCell(entry, options)),
    h('td', { class: 'c1' }, h('span', { class: 'truncate block' }, keyOf(entry, OWN_NAMES))),
    options.providerName && h('td', { class: 'c1 c2' }, providerCell(entry, options.providerName)),
    h('td', { class: 'c1 c2 r' }, tokensText(entry)),
    h('td', { class: 'c1 c2 c3 r' }, milliseconds(entry.ttftMs)),
    h('td', { class: 'c1 r' }, total),
    h(
      'td',
      { class: 'r' },
      h(
        'span',
        { class: 'two' },
        h('span', null, costText(entry)),
        h('span', { class: 'only-narrow' }, total),
      ),
    ),
  );
}

/** @param {LoggedRequest} entry */
function statusCell(entry) {
  const word = reasonOf(entry);
  return h(
    'span',
    { class: 'code-cell' },
    h('span', { class: `dot ${kindOf(entry.outcome)}`, 'aria-hidden': 'true' }),
    entry.status,
    word && h('span', { class: 'muted truncate code-word', title: entry.code }, word),
  );
}

/**
 * @param {LoggedRequest} entry
 * @param {LatestOptions} options
 */
function modelCell(entry, { open }) {
  const name = entry.model ?? OWN_NAMES.of('endpoint', entry.endpoint);
  const line = [`${entry.status}`, reasonOf(entry), clockTime(entry.at), keyOf(entry, OWN_NAMES)];
  return h(
    'span',
    { class: 'two' },
    h(
      'span',
      { class: 'row' },
      open
        ? withId(
            openLink(name, open.href(entry), () => open.run(entry)),
            entry.id,
          )
        : h('span', { class: 'name truncate', title: name }, name),
      triesBadge(entry.attempts.length),
    ),
    h(
      'span',
      { class: 'only-narrow truncate num' },
      h('span', { class: `dot inline ${kindOf(entry.outcome)}`, 'aria-hidden': 'true' }),
      line.filter(Boolean).join(' · '),
    ),
  );
}

/**
 * @param {HTMLElement} link
 * @param {string} id
 */
function withId(link, id) {
  link.dataset.request = id;
  return link;
}

/**
 * @param {LoggedRequest} entry
 * @param {(id: string) => string} nameOf
 */
function providerCell({ provider, attempts }, nameOf) {
  if (provider === null || attempts.length === 0) return h('span', { class: 'muted' }, 'not sent');
  return h('span', { class: 'truncate block' }, nameOf(provider));
}
