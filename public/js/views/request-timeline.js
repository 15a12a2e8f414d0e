import { milliseconds } from '../lib/format.js';
import { h, svg } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { attemptText, codeText } from './request-words.js';

/**
 * @import { Attempt, LoggedRequest } from './traffic-types.js'
 * @import { Names } from './traffic-names.js'
 */

const WORDS = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six'];
const TICKS = 4;

/**
 * The attempts of a request, one below the other, each with its time on a common axis.
 * @param {LoggedRequest} request
 * @param {Names} names
 */
export function timeline(request, names) {
  const { attempts } = request;
  const count = WORDS[attempts.length] ?? String(attempts.length);
  const heading = h('h3', null, `${count} ${attempts.length === 1 ? 'attempt' : 'attempts'}`);
  if (attempts.length === 0)
    return h(
      'section',
      { class: 'section' },
      h('h3', null, 'Not sent'),
      h('p', { class: 'small muted' }, 'The request was answered here, and no provider was asked.'),
    );
  const spans = spansOf(request);
  const hasFailed = attempts.some((attempt) => !isSuccess(attempt));
  const keys = [
    ...(spans.some(({ waitMs }) => waitMs > 0) ? [['wf-wait', 'waiting']] : []),
    ...(spans.some(({ runMs }) => runMs > 0) ? [['wf-run', 'answering']] : []),
    ...(hasFailed ? [['wf-busy', 'failed']] : []),
  ];
  return h(
    'section',
    { class: 'section' },
    heading,
    axis(Math.max(request.ms, 1)),
    h(
      'ol',
      { class: 'timeline' },
      ...attempts.map((attempt, index) => item({ attempt, span: spans[index], request, names })),
    ),
    h(
      'div',
      { class: 'key-row', 'aria-hidden': 'true' },
      ...keys.map(([name, text]) => h('span', null, h('i', { class: `swatch ${name}` }), text)),
    ),
  );
}

/** @param {Attempt} attempt */
function isSuccess({ status, code }) {
  return code === null && status !== null && status < 400;
}

/**
 * When each attempt began and what it did: attempts follow one another, and the last lasts to the end.
 * @typedef {{ fromMs: number, failMs: number, waitMs: number, runMs: number }} AttemptSpan
 * @param {LoggedRequest} request
 * @returns {AttemptSpan[]}
 */
function spansOf({ attempts, ms, ttftMs }) {
  let fromMs = 0;
  return attempts.map((attempt, index) => {
    const start = Math.min(fromMs, ms);
    fromMs += attempt.ms;
    const isLast = index === attempts.length - 1;
    if (!isSuccess(attempt))
      return { fromMs: start, failMs: Math.min(attempt.ms, ms - start), waitMs: 0, runMs: 0 };
    const first = Math.min(ms, Math.max(start, isLast && ttftMs !== null ? ttftMs : start + attempt.ms));
    return { fromMs: start, failMs: 0, waitMs: first - start, runMs: isLast ? ms - first : 0 };
  });
}

/**
 * @param {{ attempt: Attempt, span: AttemptSpan, request: LoggedRequest, names: Names }} options
 */
function item({ attempt, span, request, names }) {
  const { status, code, ms, keyHint, provider } = attempt;
  const isOk = isSuccess(attempt);
  const shown = isOk ? span.waitMs + span.runMs : ms;
  const badge = status ?? (codeText(code) || 'no answer');
  return h(
    'li',
    { class: 'tl-item' },
    h('span', { class: isOk ? 'ok' : 'warn' }, icon(isOk ? 'check' : 'close')),
    h(
      'div',
      { class: 'tl-body' },
      h(
        'div',
        { class: 'tl-head' },
        h('span', { class: 'medium truncate' }, names.of('provider', provider)),
        keyHint && h('code', { class: 'muted truncate' }, keyHint),
        h('span', { class: `badge ${isOk ? 'ok' : 'warn'}` }, badge),
        h('span', { class: 'push num muted' }, milliseconds(shown)),
      ),
      bar(span, Math.max(request.ms, 1)),
      h('p', { class: 'small muted wrap-anywhere' }, words(attempt, span)),
    ),
  );
}

/**
 * @param {Attempt} attempt
 * @param {AttemptSpan} span
 */
function words(attempt, { waitMs, runMs }) {
  const { upstreamModel, code, status } = attempt;
  if (isSuccess(attempt)) {
    const answer = runMs > 0 ? `, then ${milliseconds(runMs)} of answer` : '';
    return `${upstreamModel ? `${upstreamModel}. ` : ''}First byte after ${milliseconds(waitMs)}${answer}.`;
  }
  const detail = codeText(code);
  const isSaid = detail === '' || (status === null && code !== null);
  const asked = upstreamModel ? ` Asked for ${upstreamModel}.` : '';
  return `${attemptText(attempt)}${isSaid ? '' : ` It said: ${detail}.`}${asked}`;
}

/**
 * @param {AttemptSpan} span
 * @param {number} totalMs
 */
function bar({ fromMs, failMs, waitMs, runMs }, totalMs) {
  const at = (/** @type {number} */ ms) => `${Math.round((ms / totalMs) * 10_000) / 100}%`;
  const part = (/** @type {string} */ name, /** @type {number} */ x, /** @type {number} */ width) =>
    svg('rect', { class: name, x: at(x), width: at(width), height: 12 });
  return svg(
    'svg',
    { class: 'wf', 'aria-hidden': 'true' },
    svg('rect', { class: 'lane', width: '100%', height: 12 }),
    ...(failMs > 0 ? [part('busy', fromMs, Math.max(failMs, totalMs / 200))] : []),
    ...(waitMs > 0 ? [part('wait', fromMs, waitMs)] : []),
    ...(runMs > 0 ? [part('run', fromMs + waitMs, runMs)] : []),
    ...(waitMs + runMs > 0 && runMs > 0
      ? [svg('rect', { class: 'first', x: at(fromMs + waitMs), width: 2, height: 12 })]
      : []),
  );
}

/** @param {number} totalMs */
function axis(totalMs) {
  const raw = totalMs / TICKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const texts = [];
  for (let ms = 0; ms < totalMs * 0.95; ms += step)
    texts.push(
      svg(
        'text',
        { x: `${(ms / totalMs) * 100}%`, y: 12, ...(ms > 0 && { 'text-anchor': 'middle' }) },
        tick(ms, totalMs),
      ),
    );
  return svg('svg', { class: 'tl-axis', 'aria-hidden': 'true' }, ...texts);
}

/**
 * @param {number} ms
 * @param {number} totalMs
 */
function tick(ms, totalMs) {
  if (totalMs < 1000) return `${Number(ms.toFixed(1))}\u202fms`;
  return `${Number((ms / 1000).toFixed(2))}\u202fs`;
}
