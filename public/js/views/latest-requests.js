import { clockTime, dateTime, milliseconds, number, plural, requestCost } from '../lib/format.js';
import { h } from '../lib/h.js';
import { openLink } from '../lib/row.js';

/**
 * @typedef {{
 *   id: string, at: string, endpoint: string, keyId: string | null, keyName: string | null, userName: string | null,
 *   model: string | null, provider: string | null, status: number, outcome: string, code: string | null,
 *   ms: number, ttftMs: number | null, promptTokens: number | null, completionTokens: number | null, estimated: boolean,
 *   costUsd: number | null, attempts: readonly unknown[],
 * }} RequestEntry
 */
/**
 * @typedef {{
 *   limit: number, providerName?: (id: string) => string, open?: { href: (entry: RequestEntry) => string, run: (entry: RequestEntry) => void },
 *   onChange?: (entries: readonly RequestEntry[]) => void,
 * }} LatestOptions providerName: without it there is no column of providers
 */

/** @type {Record<string, string>} */
const DOTS = { ok: 'ok', cancelled: 'off', limited: 'warn', clientErrors: 'warn' };

/** @type {Record<string, string>} */
const CODES = {
  client_closed_request: 'client left',
  insufficient_quota: 'budget used up',
  rate_limit_exceeded: 'rate limit',
  upstream_auth_failed: 'key refused',
  upstream_unreachable: 'not reachable',
  upstream_timeout: 'too slow',
  upstream_invalid_response: 'unreadable answer',
  invalid_api_key: 'unknown key',
  model_not_found: 'unknown model',
  model_not_priced: 'no price',
  ip_not_allowed: 'address not allowed',
};

/**
 * A table of the latest requests, newest first. New ones are added at the top; while somebody points at a row or has the
 * focus in it, they wait, so that no row moves away.
 * @param {LatestOptions} options
 */
export function createLatestRequests(options) {
  /** @type {RequestEntry[]} */
  let entries = [];
  /** Not shown yet, oldest first. @type {RequestEntry[]} */
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
    /** Replaces all rows, if they are not the same. @param {readonly RequestEntry[]} next newest first */
    show(next) {
      const latest = next.slice(0, options.limit);
      const isSame =
        latest.length === entries.length && latest.every(({ id }, index) => id === entries[index].id);
      if (isSame) return;
      waiting = [];
      entries = latest;
      body.replaceChildren(...entries.map((entry) => row(entry, options, false)));
    },
    /** @param {RequestEntry} entry */
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
 * @param {RequestEntry} entry
 * @param {LatestOptions} options
 * @param {boolean} isFresh
 */
function row(entry, options, isFresh) {
  const time = h('time', { datetime: entry.at, title: dateTime(entry.at) }, clockTime(entry.at));
  const cost = isUnpriced(entry)
    ? h('span', { class: 'badge warn' }, 'no price')
    : requestCost(entry.costUsd);
  const total = milliseconds(entry.ms);
  return h(
    'tr',
    { class: isFresh ? 'fresh' : null },
    h('td', { class: 'c1 num muted' }, time),
    h('td', { class: 'c1' }, statusCell(entry)),
    h('td', null, modelCell(entry, options)),
    h('td', { class: 'c1' }, h('span', { class: 'truncate block' }, keyText(entry))),
    options.providerName && h('td', { class: 'c1 c2' }, providerCell(entry, options.providerName)),
    h('td', { class: 'c1 c2 r' }, tokensCell(entry)),
    h('td', { class: 'c1 c2 c3 r' }, milliseconds(entry.ttftMs)),
    h('td', { class: 'c1 r' }, total),
    h(
      'td',
      { class: 'r' },
      h('span', { class: 'two' }, h('span', null, cost), h('span', { class: 'only-narrow' }, total)),
    ),
  );
}

/** Tokens were used, and they have no price: not the same as nothing. @param {RequestEntry} entry */
function isUnpriced({ costUsd, promptTokens, completionTokens }) {
  return costUsd === null && (promptTokens !== null || completionTokens !== null);
}

/** @param {RequestEntry} entry */
function statusCell(entry) {
  const word = codeWord(entry);
  return h(
    'span',
    { class: 'code-cell' },
    h('span', { class: `dot ${DOTS[entry.outcome] ?? 'bad'}`, 'aria-hidden': 'true' }),
    entry.status,
    word && h('span', { class: 'muted truncate code-word', title: entry.code }, word),
  );
}

/** @param {RequestEntry} entry */
function codeWord({ outcome, code }) {
  if (outcome === 'ok') return '';
  if (outcome === 'broken') return 'broke off';
  return code === null ? '' : (CODES[code] ?? code.replaceAll('_', ' '));
}

/**
 * @param {RequestEntry} entry
 * @param {LatestOptions} options
 */
function modelCell(entry, { open }) {
  const name = entry.model ?? entry.endpoint;
  const { length } = entry.attempts;
  const line = [`${entry.status}`, codeWord(entry), clockTime(entry.at), keyText(entry)];
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
      length > 1 && h('span', { class: 'badge nowrap', title: plural(length, 'attempt') }, `${length} tries`),
    ),
    h(
      'span',
      { class: 'only-narrow truncate num' },
      h('span', { class: `dot inline ${DOTS[entry.outcome] ?? 'bad'}`, 'aria-hidden': 'true' }),
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

/** @param {RequestEntry} entry */
function keyText({ keyName, userName, keyId }) {
  return keyName ?? userName ?? keyId ?? '–';
}

/**
 * @param {RequestEntry} entry
 * @param {(id: string) => string} nameOf
 */
function providerCell({ provider, attempts }, nameOf) {
  if (provider === null || attempts.length === 0) return h('span', { class: 'muted' }, 'not sent');
  return h('span', { class: 'truncate block' }, nameOf(provider));
}

/** @param {RequestEntry} entry */
function tokensCell({ promptTokens, completionTokens, estimated }) {
  if (promptTokens === null && completionTokens === null) return '–';
  const parts = [promptTokens, completionTokens].map((count) => (count === null ? '–' : number(count)));
  const about = estimated ? '≈\u00a0' : '';
  return h(
    'span',
    { title: estimated ? 'Estimated: the provider reported no tokens' : null },
    `${about}${parts[0]} `,
    h('span', { class: 'muted' }, '→'),
    ` ${parts[1]}`,
  );
}
