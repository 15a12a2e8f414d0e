import { api } from '../lib/api.js';
import { copyButton } from '../lib/copy.js';
import { alertBox, handleSubmit, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { stepButtons } from './first-run-step.js';

const NAME = 'My first key';

/**
 * The fourth step: a key for programs, shown once.
 * @param {import('./first-run.js').FirstRun} run
 * @returns {import('./first-run.js').Step}
 */
export function keyStep(run) {
  const host = h('div', { class: 'stack' });
  /** Whether the host shows the new key. @type {boolean | null} */
  let hasSecret = null;
  return {
    id: 'key',
    title: 'Key',
    todo: 'Programs send it with their requests: curl, Python, Open WebUI, Claude Code and others.',
    isDone: ({ key }) => key !== null,
    doneText: ({ key }) =>
      key === null ? '' : `${key.name}, ${key.keyHint}. Make one for each program or person in API Keys.`,
    change: { label: 'All keys', run: () => run.navigate('keys') },
    content: () => host,
    isKept: () => run.memory.secret !== null,
    update() {
      const { secret } = run.memory;
      if (hasSecret === (secret !== null)) return;
      hasSecret = secret !== null;
      host.replaceChildren(secret === null ? keyForm(run) : keyBox(secret, run));
    },
  };
}

/** @param {import('./first-run.js').FirstRun} run */
function keyForm(run) {
  const name = textField({
    label: 'Name',
    param: 'name',
    hint: 'Only you see it. The key may use all models; you can narrow that later.',
    input: { value: NAME, required: true, maxlength: 200 },
  });
  const alert = alertBox();
  const submit = h('button', { type: 'submit', class: 'btn primary large' }, 'Make the key');
  const form = h(
    'form',
    { class: 'stack' },
    alert.element,
    name.element,
    stepButtons(submit, () => run.skip('key')),
  );
  handleSubmit(form, {
    fields: [name],
    submit,
    alert,
    save: async () => {
      const { key } = await api.post('/api/admin/apikeys', { name: name.control.value.trim() });
      run.memory.secret = key;
      run.memory.isCopied = false;
      await run.finish();
    },
  });
  return form;
}

/**
 * @param {string} secret
 * @param {import('./first-run.js').FirstRun} run
 */
function keyBox(secret, run) {
  const state = h('p', { class: 'small muted', role: 'status' }, 'Copy it now: it cannot be shown again.');
  const noteCopy = () => {
    run.memory.isCopied = true;
    state.textContent = 'The key is copied.';
  };
  const code = h('code', { oncopy: noteCopy }, secret);
  const copy = copyButton(() => secret, code, { label: 'Copy key', visible: true, onCopied: noteCopy });
  return h('div', { class: 'stack tight' }, h('div', { class: 'secret' }, code, copy), state);
}
