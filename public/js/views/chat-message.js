/** Messages on the page: the person's, and the answer of the model while it arrives. */

import { renderCode } from '../chat/render/code-view.js';
import { createMarkdownView } from '../chat/render/markdown-view.js';
import { copyButton } from '../lib/copy.js';
import { textAreaField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { describeFailure } from './chat-failure.js';

/**
 * @param {string} label
 * @param {import('../lib/icons.js').IconName} symbol
 * @param {() => void} onclick
 * @param {string} [extraClass]
 */
function actionButton(label, symbol, onclick, extraClass = '') {
  const props = {
    type: 'button',
    class: `btn quiet small square ${extraClass}`,
    'aria-label': label,
    title: label,
  };
  return h('button', { ...props, onclick }, icon(symbol));
}

/**
 * The person's message as plain text. It can be edited and sent again.
 * @param {import('./chat-request.js').ChatMessage} message
 * @param {{ onEdit: (text: string) => void }} options
 */
export function createUserMessage(message, { onEdit }) {
  const text = h('div', { class: 'chat-text', hidden: message.text === '' }, message.text);
  const images = message.images.map((image) => h('img', { src: image.dataUrl, alt: image.name }));
  const file = message.images.length === 0 && message.fileName;
  const actions = h(
    'div',
    { class: 'chat-actions' },
    copyButton(() => message.text, text, { label: 'Copy message' }),
  );
  const element = h(
    'article',
    { class: 'chat-message chat-user', 'aria-label': 'You' },
    images.length > 0 && h('div', { class: 'chat-images' }, images),
    file && h('div', { class: 'chat-text row' }, icon('audio'), h('span', null, file)),
    text,
    actions,
  );
  const editButton = actionButton('Edit message', 'edit', edit, 'when-idle');
  // An Enter key held down would close the form and open it again.
  editButton.addEventListener('keydown', (event) => event.repeat && event.preventDefault());
  if (message.task === 'chat') actions.append(editButton);

  function edit() {
    const field = textAreaField({ label: 'Edit message', input: { rows: 3 } });
    field.control.value = message.text;
    const cancel = h('button', { type: 'button', class: 'btn small', onclick: close }, 'Cancel');
    const submit = h('button', { type: 'submit', class: 'btn primary small' }, 'Send again');
    const form = h(
      'form',
      { class: 'chat-edit' },
      field.element,
      h('div', { class: 'row wrap' }, cancel, submit),
    );
    function close() {
      form.remove();
      element.classList.remove('is-edited');
      editButton.focus();
    }
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (field.control.value.trim() !== '' || message.images.length > 0) onEdit(field.control.value);
    });
    form.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
      } else if (
        event.key === 'Enter' &&
        !event.shiftKey &&
        !event.isComposing &&
        event.target === field.control
      ) {
        event.preventDefault();
        if (event.repeat) return;
        // Sending again removes the later messages. An unchanged text is sent by the button only, not by Enter.
        if (field.control.value === message.text) close();
        else form.requestSubmit();
      }
    });
    element.classList.add('is-edited');
    element.append(form);
    field.control.focus();
  }
  return { element };
}

/**
 * The answer of the model: collapsed thoughts, text as Markdown, tool calls, and a note or error at the end.
 * @param {{ model: string, onRegenerate: () => void, onRender: () => void }} options
 */
export function createAnswer({ model, onRegenerate, onRender }) {
  let text = '';
  const markdown = createMarkdownView({ onRender });
  const thoughtText = document.createTextNode('');
  const thoughtTitle = h('summary', null, 'Thinking …');
  const thoughts = h(
    'details',
    { hidden: true },
    thoughtTitle,
    h('div', { class: 'chat-thoughts' }, thoughtText),
  );
  const tools = h('div', { class: 'stack tight' });
  const waiting = h('div', { class: 'chat-waiting' }, h('span', { class: 'sr' }, 'Waiting for the answer'));
  const ending = h('div', { class: 'chat-ending' });
  const speed = h('span', { class: 'chat-speed' });
  const copy = copyButton(() => text, markdown.element, { label: 'Copy message' });
  const actions = h(
    'div',
    { class: 'chat-actions', hidden: true },
    copy,
    actionButton('Regenerate answer', 'refresh', onRegenerate, 'when-idle chat-regenerate'),
    speed,
  );
  const name = h('h2', { class: 'chat-name' }, model);
  const body = [name, thoughts, markdown.element, waiting, tools, ending, actions];
  const element = h(
    'article',
    { class: 'chat-message chat-answer', 'aria-label': `Answer of ${model}` },
    ...body,
  );

  return {
    element,
    text: () => text,
    /** @param {string} piece */
    addText(piece) {
      waiting.hidden = true;
      thoughtTitle.textContent = 'Thoughts';
      text += piece;
      markdown.append(piece);
    },
    /** @param {string} piece */
    addThought(piece) {
      thoughts.hidden = false;
      thoughtText.appendData(piece);
      onRender();
    },
    /** @param {import('./chat-request.js').ToolCall[]} calls */
    showToolCalls(calls) {
      waiting.hidden = true;
      tools.replaceChildren(
        ...calls.map((call) =>
          h(
            'div',
            { class: 'chat-tool' },
            h('div', { class: 'small' }, 'Tool call: ', h('strong', null, call.name || '…')),
            renderCode(call.arguments, 'json'),
          ),
        ),
      );
      onRender();
    },
    /** Shows a whole answer without Markdown. @param {string} whole @param {boolean} isCode */
    showWhole(whole, isCode) {
      waiting.hidden = true;
      text = whole;
      markdown.element.replaceChildren(
        isCode ? renderCode(whole, '') : h('div', { class: 'chat-text' }, whole),
      );
    },
    /** @param {{ failure: import('./chat-failure.js').ServerFailure | null, note: string, stats: string }} end */
    finish({ failure, note, stats }) {
      waiting.hidden = true;
      if (thoughtTitle.textContent !== 'Thoughts') thoughtTitle.textContent = 'Thoughts';
      void markdown.finish();
      ending.replaceChildren();
      if (note) ending.append(h('p', { class: 'hint' }, note));
      if (failure) {
        const detail = h('p', { class: 'chat-failure-detail' }, describeFailure(failure));
        const content = h('div', null, h('div', { class: 'chat-text' }, failure.message), detail);
        ending.append(h('div', { class: 'note bad' }, icon('warning'), content));
      }
      speed.textContent = stats;
      copy.hidden = text === '';
      actions.hidden = false;
      onRender();
    },
  };
}
