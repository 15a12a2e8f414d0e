import { api, messageOf, toApiError } from '../lib/api.js';
import { alertBox, setBusy } from '../lib/form.js';
import { clockTime, milliseconds, requestCost } from '../lib/format.js';
import { h } from '../lib/h.js';
import { patchChildren } from '../lib/patch.js';
import { exampleModel, snippets } from '../lib/snippets.js';
import { failureText, tokensText } from './first-run-facts.js';

/** @import { Facts } from './first-run-facts.js' */
/** @import { FirstRun, Step } from './first-run.js' */

const QUESTION = 'Say hello in one short sentence.';
const FAILURES_SHOWN = 3;
const SPOKEN_LENGTH = 300;

/**
 * The last step: waits for the first answer, whoever asks for it, and says what it took.
 * @param {FirstRun} run
 * @returns {Step}
 */
export function answerStep(run) {
  const host = h('div', { class: 'stack' });
  /** What the host shows: how to ask with this model and key, or the result. */
  let shown = '';
  const failures = h('ul', {
    class: 'stack tight small',
    'aria-label': 'Failed requests',
    'aria-live': 'polite',
  });
  return {
    id: 'answer',
    title: 'First answer',
    todo: 'Send a first question. The page shows how long the answer took, its tokens and its cost.',
    isDone: ({ answer }) => answer !== null,
    doneText: () => 'It works. Every request is in Requests from now on, and what it costs in Usage.',
    content: () => host,
    isKept: (kind, facts) => kind === 'done' || facts.failures.length > 0,
    update(facts) {
      const model = exampleModel(facts.models);
      const next = facts.answer
        ? `answer ${facts.answer.id} ${run.memory.spoken}`
        : `${model} ${run.memory.secret}`;
      if (next !== shown) {
        shown = next;
        host.replaceChildren(facts.answer ? result(facts, run) : waiting(model, { run, failures }));
      }
      patchChildren(failures, facts.failures.slice(0, FAILURES_SHOWN).map(failureLine));
    },
  };
}

/**
 * @param {string | undefined} model
 * @param {{ run: FirstRun, failures: HTMLElement }} context
 */
function waiting(model, { run, failures }) {
  const alert = alertBox();
  const send = h(
    'button',
    { type: 'button', class: 'btn primary large', disabled: model === undefined },
    'Send it for me',
  );
  send.addEventListener('click', async () => {
    if (model === undefined || send.getAttribute('aria-busy') === 'true') return;
    setBusy(send, true);
    alert.show(null);
    try {
      run.memory.spoken = await ask(model, run.memory.secret);
    } catch (error) {
      alert.show(h('p', { class: 'wrap-anywhere' }, messageOf(error)));
    }
    setBusy(send, false);
    await run.finish();
  });
  return h(
    'div',
    { class: 'stack' },
    snippets({ ...(run.memory.secret !== null && { key: run.memory.secret }), ...(model && { model }) }),
    h(
      'p',
      { class: 'state muted small', role: 'status' },
      h('span', { class: 'dot live', 'aria-hidden': 'true' }),
      model === undefined ? 'No model can be asked yet.' : 'Waiting for the first request …',
    ),
    failures,
    alert.element,
    h(
      'div',
      { class: 'row wrap' },
      send,
      h('button', { type: 'button', class: 'btn quiet large', onclick: run.leave }, 'Open the overview'),
    ),
  );
}

/**
 * Asks a short question, with the new key or in the session.
 * @param {string} model
 * @param {string | null} key
 * @returns {Promise<string | null>} what the model said
 */
async function ask(model, key) {
  const response = await api.raw('/v1/chat/completions', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key !== null && { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: QUESTION }] }),
  });
  if (!response.ok) throw await toApiError(response);
  const body = await response.json().catch(() => null);
  const content = body?.choices?.[0]?.message?.content;
  return typeof content === 'string' && content.trim() !== '' ? content.trim() : null;
}

/** @param {import('./traffic-types.js').LoggedRequest} entry */
function failureLine(entry) {
  return h(
    'li',
    { class: 'row top' },
    h('span', { class: 'num muted nowrap' }, clockTime(entry.at)),
    h('span', { class: 'dot inline bad', 'aria-hidden': 'true' }),
    h('span', { class: 'wrap-anywhere' }, failureText(entry)),
  );
}

/**
 * @param {Facts} facts
 * @param {FirstRun} run
 */
function result({ answer }, { memory, leave, navigate }) {
  if (answer === null) return '';
  const cost = answer.costUsd === null ? null : `≈ ${requestCost(answer.costUsd)}`;
  const figures = [milliseconds(answer.ms), tokensText(answer), cost]
    .filter((text) => text !== null)
    .join(', ');
  const said = memory.spoken;
  return h(
    'div',
    { class: 'stack' },
    h(
      'div',
      { class: 'note ok first-answer', role: 'status' },
      h(
        'div',
        { class: 'stack tight' },
        h('p', { class: 'medium' }, `First answer: ${figures}`),
        h('p', { class: 'small muted wrap-anywhere' }, `${answer.model ?? answer.endpoint}`),
        said &&
          h(
            'q',
            { class: 'wrap-anywhere' },
            said.length > SPOKEN_LENGTH ? `${said.slice(0, SPOKEN_LENGTH)} …` : said,
          ),
      ),
    ),
    h(
      'div',
      { class: 'row wrap' },
      h('button', { type: 'button', class: 'btn primary large', onclick: leave }, 'Open the overview'),
      h('button', { type: 'button', class: 'btn large', onclick: () => navigate('users') }, 'Add people'),
      h('button', { type: 'button', class: 'btn large', onclick: () => navigate('chat') }, 'Chat'),
    ),
  );
}
