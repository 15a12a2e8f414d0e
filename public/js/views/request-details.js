import { copyButton, copyText } from '../lib/copy.js';
import { milliseconds } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { announce, toast } from '../lib/toast.js';
import { hashOf } from '../lib/url-state.js';
import { costText } from './request-cells.js';
import { costSection } from './request-cost.js';
import { curlOf } from './request-curl.js';
import { timeline } from './request-timeline.js';
import { codeText, kindOf } from './request-words.js';
import { zoneMinutes, zoneText } from './time-range.js';
import { keyOf } from './traffic-names.js';

/**
 * @import { LoggedRequest } from './traffic-types.js'
 * @import { Names } from './traffic-names.js'
 */

/** A shorter answer says nothing of the speed. */
const LEAST_ANSWER_MS = 50;
const exact = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/**
 * A request as the drawer shows it. A user is not told what only the owner of the server knows.
 * @param {LoggedRequest} request
 * @param {{ names: Names, tab: string, isOwn?: boolean }} options tab: of the link to it; isOwn: for the user who sent it
 */
export function requestDetails(request, { names, tab, isOwn = false }) {
  const { id, status, model, endpoint, outcome } = request;
  const link = h(
    'button',
    {
      type: 'button',
      class: 'btn quiet small square',
      'aria-label': 'Copy a link to this request',
      title: 'Copy a link to this request',
    },
    icon('link'),
  );
  const address = h('span', { class: 'sr', 'aria-hidden': 'true' });
  link.addEventListener(
    'click',
    () =>
      void copy(new URL(hashOf(tab, { open: id }), location.href).href, {
        button: link,
        shown: address,
      }),
  );
  const dot = h('span', { class: `dot ${kindOf(outcome)}`, 'aria-hidden': 'true' });
  return {
    label: `Request ${id}`,
    title: [
      h('span', { class: 'code-cell' }, dot, String(status)),
      ' ',
      model ?? names.of('endpoint', endpoint),
    ],
    actions: [link],
    body: [
      figures(request),
      ...reason(request),
      timeline(request, names),
      costSection(request),
      facts(request, names, isOwn),
      address,
    ],
    footer: [...curlButton(request), h('span', { class: 'small muted' }, 'without key and content')],
  };
}

/** @param {LoggedRequest} request */
function figures(request) {
  const { ms, ttftMs, completionTokens } = request;
  const answerMs = ttftMs === null ? 0 : ms - ttftMs;
  const isTold = completionTokens !== null && completionTokens > 1 && answerMs >= LEAST_ANSWER_MS;
  const speed = isTold ? `${Math.round(completionTokens / (answerMs / 1000))}\u202ftok/s` : '–';
  const figure = (/** @type {string} */ name, /** @type {import('../lib/h.js').Child} */ value) =>
    h('div', null, h('dt', null, name), h('dd', null, value));
  return h(
    'section',
    { class: 'section' },
    h(
      'dl',
      { class: 'quad' },
      figure('Total', milliseconds(ms)),
      figure('First token', milliseconds(ttftMs)),
      figure('Speed', speed),
      figure('≈ Cost', costText(request)),
    ),
  );
}

/** Why it failed. @param {LoggedRequest} request */
function reason({ code, outcome }) {
  // An empty code says nothing, and the attempts below say what happened.
  if (!code) return [];
  const kind = kindOf(outcome) === 'bad' ? 'bad' : 'warn';
  const text = codeText(code);
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return [
    h(
      'section',
      { class: 'section' },
      h(
        'div',
        { class: `note ${kind}` },
        icon(kind === 'bad' ? 'alert' : 'warning'),
        h(
          'div',
          { class: 'grow wrap-anywhere' },
          sentence,
          sentence === code ? null : [' ', h('code', null, code)],
        ),
      ),
    ),
  ];
}

/**
 * @param {LoggedRequest} request
 * @param {Names} names
 * @param {boolean} isOwn
 */
function facts(request, names, isOwn) {
  const {
    id,
    at,
    keyId,
    userId,
    userName,
    endpoint,
    stream,
    provider,
    upstreamModel,
    clientAddress,
    outcome,
  } = request;
  const code = h('code', null, id);
  const key = keyOf(request, names);
  const userText = userId === null ? '–' : names.of('user', userId, userName);
  /** @type {[string, import('../lib/h.js').Child][]} */
  const rows = [
    [
      'Request id',
      h(
        'span',
        { class: 'row id-row' },
        code,
        copyButton(() => id, code, { label: 'Copy the request id' }),
      ),
    ],
    ['Time', `${exact.format(new Date(at))} (${zoneText(zoneMinutes())})`],
    ['Key', keyId === null || isOwn ? key : h('a', { href: hashOf('keys') }, key)],
    ...(isOwn ? [] : [/** @type {[string, string]} */ (['User', userText])]),
    ['Endpoint', `${names.of('endpoint', endpoint)}${stream ? ', streamed' : ''}`],
    ['Outcome', names.of('outcome', outcome)],
    ['Provider', names.of('provider', provider)],
    ...(isOwn ? [] : [/** @type {[string, string]} */ (['Provider’s model', upstreamModel ?? '–'])]),
    ['Client', clientAddress],
    ['Content', 'Never recorded'],
  ];
  return h(
    'section',
    { class: 'section' },
    h('h3', null, 'Details'),
    h(
      'dl',
      { class: 'facts small' },
      ...rows.flatMap(([name, value]) => [h('dt', null, name), h('dd', { class: 'num' }, value)]),
    ),
  );
}

/** @param {LoggedRequest} request */
function curlButton(request) {
  const text = curlOf(request);
  const shown = h('pre', { class: 'sr', 'aria-hidden': 'true' }, text);
  const button = h('button', { type: 'button', class: 'btn' }, icon('copy'), 'Copy as curl');
  button.addEventListener('click', () => void copy(text, { button, shown }));
  return [button, shown];
}

/**
 * @param {string} text
 * @param {{ button: HTMLElement, shown: HTMLElement }} options shown: holds the text where the clipboard cannot be written
 */
async function copy(text, { button, shown }) {
  shown.textContent = text;
  if (!(await copyText(text, shown))) {
    toast.info('The browser did not allow copying.');
    return;
  }
  announce('Copied.', button);
  const before = button.firstElementChild;
  if (before === null) return;
  const done = icon('check');
  button.replaceChild(done, before);
  setTimeout(() => button.replaceChild(before, done), 1600);
}
