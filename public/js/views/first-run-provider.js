import { codeBlock } from '../lib/copy.js';
import { alertBox, handleSubmit, selectField, setBusy, textField } from '../lib/form.js';
import { number } from '../lib/format.js';
import { h } from '../lib/h.js';
import { connect, TestFailure } from './first-run-connect.js';
import { presetOfKey } from './first-run-facts.js';
import { stepButtons } from './first-run-step.js';
import { findPreset, PRESET_GROUPS } from './presets.js';

/**
 * @import { FirstRun, Step } from './first-run.js'
 * @import { Provider } from '../lib/types.js'
 * @import { Wanted } from './first-run-connect.js'
 */

const OTHER = 'other';
const LOCAL = ['ollama', 'lm-studio'];
const HINT = 'Paste it here. Most keys show which provider they belong to.';

/**
 * The second step: a provider, from its key alone where the key says whose it is.
 * @param {FirstRun} run
 * @returns {Step}
 */
export function providerStep(run) {
  return {
    id: 'provider',
    title: 'Provider',
    todo: 'The service whose models answer, such as OpenAI. You need an API key of your account there.',
    isDone: ({ provider }) => provider !== null,
    doneText: ({ provider }) => (provider === null ? '' : describe(provider, run)),
    change: {
      label: 'Change',
      run: ({ provider }) =>
        run.navigate('providers', undefined, provider === null ? {} : { open: provider.id }),
    },
    content: () => providerForm(run),
  };
}

/**
 * @param {Provider} provider
 * @param {FirstRun} run
 */
function describe(provider, { memory }) {
  const key = provider.apiKeyHint === null ? '' : ` with the key ${provider.apiKeyHint}`;
  const { offered } = memory;
  if (offered === null || offered.providerId !== provider.id) return `${provider.name}${key}`;
  const { length } = offered.models;
  const offers = `offers ${number(length)} ${length === 1 ? 'model' : 'models'}.`;
  const speed = offered.ms === null ? 'It' : `It answered in ${number(Math.round(offered.ms))} ms and`;
  return `${provider.name}${key}. ${speed} ${offers}`;
}

/** @param {FirstRun} run */
function providerForm(run) {
  const fields = providerFields();
  const alert = alertBox();
  const submit = h('button', { type: 'submit', class: 'btn primary large' }, 'Test and save');
  /** @param {() => Promise<unknown>} connecting */
  const attempt = async (connecting) => {
    try {
      await connecting();
    } catch (error) {
      if (!(error instanceof TestFailure)) throw error;
      alert.show(failure(error, () => void attempt(error.keep).catch(() => {})));
      return;
    }
    await run.finish();
  };
  const form = h(
    'form',
    { class: 'stack' },
    alert.element,
    fields.key.element,
    fields.provider.element,
    fields.url.element,
    stepButtons(submit, () => run.skip('provider')),
  );
  handleSubmit(form, {
    fields: [fields.key, fields.provider, fields.url],
    submit,
    alert,
    save: () => attempt(() => connect(run, fields.wanted(), fields.key.control.value.trim())),
  });
  return h(
    'div',
    { class: 'stack' },
    form,
    h(
      'div',
      { class: 'row wrap' },
      h('span', { class: 'small muted' }, 'On this computer, without a key:'),
      ...LOCAL.map((id) => localButton(id, { run, attempt, alert })),
    ),
    withoutKey(),
  );
}

/** The fields, of which the second follows the first until somebody chooses. */
function providerFields() {
  const key = textField({
    label: 'API Key',
    param: 'apiKey',
    hint: HINT,
    input: { type: 'password', autocomplete: 'new-password', spellcheck: 'false', required: true },
  });
  const provider = selectField({
    label: 'Provider',
    choices: [{ value: '', label: 'Choose' }],
    input: { required: true },
  });
  provider.control.append(
    ...PRESET_GROUPS.filter(({ label }) => label !== 'On your own computer').map((group) =>
      h(
        'optgroup',
        { label: group.label },
        ...group.presets.map(({ id, name }) => h('option', { value: id }, name)),
      ),
    ),
    h('option', { value: OTHER }, 'Another, by its address'),
  );
  const url = textField({
    label: 'Base URL',
    param: 'baseUrl',
    input: {
      inputmode: 'url',
      spellcheck: 'false',
      autocapitalize: 'none',
      placeholder: 'https://api.example.com/v1',
    },
  });
  url.element.hidden = true;
  const hint = key.element.querySelector('.hint');
  let isChosen = false;
  const update = () => {
    const isOther = provider.control.value === OTHER;
    url.element.hidden = !isOther;
    url.control.required = isOther;
    key.control.required = !isOther;
    hint?.setAttribute('role', 'status');
    if (hint) hint.textContent = hintFor(key.control.value.trim(), provider.control.value);
  };
  key.control.addEventListener('input', () => {
    const found = presetOfKey(key.control.value.trim());
    if (found !== null || !isChosen) {
      provider.control.value = found?.id ?? '';
      provider.setError(null);
      isChosen = false;
    }
    update();
  });
  provider.control.addEventListener('input', () => {
    isChosen = true;
    update();
  });
  return {
    key,
    provider,
    url,
    /** @returns {Wanted} */
    wanted() {
      const preset = findPreset(provider.control.value);
      if (preset !== undefined) return preset;
      const baseUrl = url.control.value.trim();
      return { name: URL.canParse(baseUrl) ? new URL(baseUrl).hostname : baseUrl, baseUrl };
    },
  };
}

/**
 * @param {string} key
 * @param {string} chosen
 */
function hintFor(key, chosen) {
  if (key === '') return keyPageHint(chosen) ?? HINT;
  const found = presetOfKey(key);
  if (found !== null && found.id === chosen) return `This is a key of ${found.name}: ${found.baseUrl}`;
  if (chosen !== '') return findPreset(chosen)?.baseUrl ?? 'Enter the address of its API.';
  if (key.startsWith('sk-')) return 'Keys of several providers begin with sk-. Choose the provider.';
  return 'This key does not show which provider it belongs to. Choose the provider.';
}

/** Where to make a key. @param {string} chosen */
function keyPageHint(chosen) {
  const page = findPreset(chosen)?.keyPage;
  return page === undefined ? null : `Make one at ${page} and paste it here.`;
}

/**
 * @param {string} id
 * @param {{ run: FirstRun, attempt: (connecting: () => Promise<unknown>) => Promise<void>, alert: ReturnType<typeof alertBox> }} context
 */
function localButton(id, { run, attempt, alert }) {
  const preset = findPreset(id);
  const button = h('button', { type: 'button', class: 'btn' }, preset?.name ?? id);
  button.addEventListener('click', async () => {
    if (preset === undefined || button.getAttribute('aria-busy') === 'true') return;
    setBusy(button, true);
    alert.show(null);
    try {
      await attempt(() => connect(run, preset, ''));
    } catch (error) {
      alert.show(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(button, false);
    }
  });
  return button;
}

/**
 * @param {TestFailure} error
 * @param {() => void} keep
 */
function failure({ provider, message, isLocal }, keep) {
  return h(
    'div',
    { class: 'stack tight' },
    h('p', null, `${provider} did not pass the test, and was not saved.`),
    h('p', { class: 'small wrap-anywhere' }, message),
    isLocal &&
      h(
        'p',
        { class: 'small' },
        'Is it running? If this server runs in Docker, choose “Another, by its address” and write host.docker.internal in place of localhost.',
      ),
    h(
      'p',
      null,
      h('button', { type: 'button', class: 'link-btn small', onclick: keep }, 'Save it all the same'),
    ),
  );
}

function withoutKey() {
  return h(
    'details',
    { class: 'small' },
    h('summary', null, 'No key? Use the demo'),
    h(
      'div',
      { class: 'stack tight' },
      h(
        'p',
        { class: 'muted' },
        'Stop this server and start it with the command below. It then has a provider of its own, whose models give made-up answers. Nothing is stored, and nothing is sent anywhere.',
      ),
      codeBlock('npm run demo', 'Copy the command'),
    ),
  );
}
