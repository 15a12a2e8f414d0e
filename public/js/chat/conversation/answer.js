/** The answer of a model, while it arrives and afterwards. */
import { copyButton } from '../../lib/copy.js';
import { milliseconds } from '../../lib/format.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { createMarkdownView } from '../render/markdown-view.js';
import { createPlainView } from '../render/plain-view.js';
import { describeAnswer } from '../request/figures.js';
import { iconButton, versionSwitch } from './parts.js';
import { createToolCalls } from './tool-calls.js';

/** @typedef {import('../types.js').Message} Message */

/**
 * @param {Message} message changed while the answer arrives
 * @param {{
 *   modelName: string, slot: number, versions: { at: number, count: number, onMove: (step: 1 | -1) => void } | null,
 *   media: (message: Message) => HTMLElement | null, onRegenerate: () => void, onRender: () => void,
 * }} options slot: the colour of the model; media: pictures and sound of the answer; versions: null while models are compared
 */
export function createAnswer(message, options) {
  const { onRegenerate, onRender } = options;
  let isElsewhere = false;
  const markdown = createMarkdownView({ onRender });
  const thoughtText = createPlainView({ onRender });
  const tools = createToolCalls({ onRender });
  const thoughtTitle = h('span', null, 'Thinking …');
  const thoughts = h(
    'details',
    { class: 'thought', hidden: true },
    h('summary', null, icon('bulb'), thoughtTitle, icon('chevron')),
    h('div', { class: 'thought-text' }, thoughtText.element),
  );
  const waiting = h('div', { class: 'waiting' }, h('span', { class: 'sr' }, 'Waiting for the answer'));
  const ending = h('div', { class: 'stack tight', hidden: true });
  const copy = copyButton(() => message.text, markdown.element, { label: 'Copy answer' });
  const again = iconButton('Answer again', 'refresh', onRegenerate, 'when-idle');
  const meta = h('span', { class: 'meta' });
  const actions = h(
    'div',
    { class: 'msg-tools', hidden: true },
    options.versions && versionSwitch(options.versions),
    copy,
    again,
    meta,
  );
  const name = h(
    'h3',
    { class: 'answer-by' },
    h('span', { class: `swatch k${options.slot}`, 'aria-hidden': 'true' }),
    h('span', { class: 'truncate' }, options.modelName),
  );
  const element = h(
    'article',
    { class: 'answer', 'aria-label': `Answer of ${options.modelName}` },
    name,
    thoughts,
    markdown.element,
    waiting,
    tools.element,
    ending,
    actions,
  );

  /** @param {string} piece */
  function addText(piece) {
    if (!waiting.hidden) beginText();
    markdown.append(piece);
  }

  function beginText() {
    waiting.hidden = true;
    if (!thoughts.hidden) nameThoughts();
  }

  /** @param {string} piece */
  function addThought(piece) {
    thoughts.hidden = false;
    thoughtText.append(piece);
  }

  function nameThoughts() {
    const { reasoningMs } = message;
    thoughtTitle.textContent = reasoningMs ? `Thought for ${milliseconds(reasoningMs)}` : 'Thoughts';
  }

  function showToolCalls() {
    waiting.hidden = true;
    tools.show(message.toolCalls ?? []);
  }

  function finish() {
    waiting.hidden = true;
    if (!thoughts.hidden) nameThoughts();
    void markdown.finish();
    if (message.isPlain) markdown.element.replaceChildren(h('div', { class: 'plain' }, message.text));
    showEnding();
    markdown.element.hidden = message.text === '';
    copy.hidden = message.text === '';
    meta.textContent = describeAnswer(message);
    actions.hidden = false;
    onRender();
  }

  function showEnding() {
    const parts = [
      options.media(message),
      sourceList(message),
      note(message, isElsewhere),
      failure(message, onRegenerate),
    ];
    ending.replaceChildren(...parts.filter((part) => part !== null));
    ending.hidden = ending.childElementCount === 0;
    // Beside the error there is Retry.
    again.hidden = isElsewhere || message.error !== null;
  }

  return {
    element,
    head: name,
    /** Whether another tab is answering. @param {boolean} next */
    setElsewhere(next) {
      if (next === isElsewhere) return;
      isElsewhere = next;
      showEnding();
      onRender();
    },
    addText,
    addThought,
    showToolCalls,
    finish,
    /** Shows what is known so far: of a stored message, or of one that still grows. */
    catchUp() {
      if (message.reasoning !== '') addThought(message.reasoning);
      if (message.text !== '' && !message.isPlain) addText(message.text);
      if (message.toolCalls && message.toolCalls.length > 0) showToolCalls();
    },
  };
}

/** @param {Message} message */
function sourceList({ sources = [] }) {
  if (sources.length === 0) return null;
  const items = sources.map(({ url, title }) =>
    h('li', null, h('a', { href: url, title: url, target: '_blank', rel: 'noopener noreferrer' }, title)),
  );
  return h('div', { class: 'sources' }, h('h4', null, 'Sources'), h('ol', null, items));
}

/** @param {Message} message @param {boolean} isElsewhere */
function note({ note: text = '', state }, isElsewhere) {
  const stopped = isElsewhere ? 'Being answered in another tab …' : 'Stopped.';
  const words = state === 'stopped' ? stopped : text;
  return words === '' ? null : h('p', { class: 'hint' }, words);
}

/**
 * The server's words with a way to try again.
 * @param {Message} message
 * @param {() => void} onRetry
 */
function failure({ error }, onRetry) {
  if (error === null) return null;
  const retry = h(
    'button',
    { type: 'button', class: 'btn small when-idle', onclick: onRetry },
    icon('refresh'),
    'Retry',
  );
  return h(
    'div',
    { class: 'note bad' },
    icon('warning'),
    h(
      'div',
      { class: 'stack tight' },
      h('div', { class: 'plain' }, error.message),
      error.detail !== '' && h('p', { class: 'failure-detail' }, error.detail),
      h('div', null, retry),
    ),
  );
}
