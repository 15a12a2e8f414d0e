import { clockTime, day, milliseconds } from '../lib/format.js';
import { h } from '../lib/h.js';
import { openLink } from '../lib/row.js';
import { serverNow } from '../lib/server-clock.js';
import { costText, nothing, tokensText, triesBadge } from './request-cells.js';
import { kindOf, reasonOf } from './request-words.js';
import { keyOf } from './traffic-names.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/** The columns of the list; c1 to c3 leave when it is narrow. */
export const COLUMNS = /** @type {const} */ ([
  { label: 'Time', class: 'c1 time-cell' },
  { label: 'Status', class: 'c1 status-cell' },
  { label: 'Model', class: 'model-cell' },
  { label: 'Key', class: 'c1 key-cell' },
  { label: 'Provider', class: 'c1 c2 provider-cell' },
  { label: 'Tokens in → out', class: 'c1 c2 r tokens-cell' },
  { label: 'First token', class: 'c1 c2 c3 r first-cell' },
  { label: 'Total', class: 'c1 r total-cell' },
  { label: '≈ Cost', class: 'r cost-cell' },
]);

/**
 * A row of the list of requests.
 * @param {LoggedRequest} request
 * @param {{ names: import('./traffic-names.js').Names, href: string, onOpen: () => void }} options
 */
export function requestRow(request, { names, href, onOpen }) {
  const { at, status, provider, ms, ttftMs, attempts } = request;
  const key = keyOf(request, names);
  const dot = () => h('span', { class: `dot ${kindOf(request.outcome)}`, 'aria-hidden': 'true' });
  const reason = reasonOf(request);
  const link = openLink(request.model ?? names.of('endpoint', request.endpoint), href, onOpen);
  link.dataset.request = request.id;
  const cells = [
    timeCell(at),
    h(
      'span',
      { class: 'code-cell' },
      dot(),
      status,
      reason && h('span', { class: 'muted reason c2 truncate', title: reason }, reason),
    ),
    h(
      'span',
      { class: 'two' },
      h('span', { class: 'row' }, link, triesBadge(attempts.length)),
      h(
        'span',
        { class: 'only-narrow truncate num' },
        dot(),
        [status, clockTime(at), reason, key].filter(Boolean).join(' · '),
      ),
    ),
    h('span', { class: 'truncate block', title: key }, key),
    provider === null
      ? h('span', { class: 'muted' }, 'not sent')
      : h('span', { class: 'truncate block' }, names.of('provider', provider)),
    tokensText(request),
    ttftMs === null ? nothing() : milliseconds(ttftMs),
    milliseconds(ms),
    h(
      'span',
      { class: 'two' },
      h('span', null, costText(request)),
      h('span', { class: 'only-narrow' }, milliseconds(ms)),
    ),
  ];
  return h('tr', null, ...COLUMNS.map((column, index) => h('td', { class: column.class }, cells[index])));
}

/** The clock, with the day below where it is not today. @param {string} at */
function timeCell(at) {
  const isToday = new Date(at).toDateString() === new Date(serverNow()).toDateString();
  return h(
    'span',
    { class: 'num muted clock' },
    h('span', null, clockTime(at)),
    !isToday && h('span', { class: 'tiny' }, day(at)),
  );
}
