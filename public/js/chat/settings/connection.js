/** The API key, the list of models, and the test of the connection. */
import { api } from '../../lib/api.js';
import { focusFirst } from '../../lib/focus-first.js';
import { textField } from '../../lib/form.js';
import { plural } from '../../lib/format.js';
import { h } from '../../lib/h.js';
import { describeFailure, readFailure, ServerFailure, toFailure } from '../request/failure.js';
import { toModels } from '../request/models.js';

/** After the last keystroke: a key is not tried while the person is still typing. */
const TYPING_PAUSE_MS = 500;

/**
 * The key is kept only in its field, until the page is closed. It is never stored.
 * @param {{
 *   signedIn: boolean, onModels: (models: import('../types.js').Model[] | null, whyNone?: string) => void,
 *   onEntered: () => void,
 * }} options onModels: gets null and a short reason when there is no list; onEntered: a key was entered and works
 */
export function createConnection({ signedIn, onModels, onEntered }) {
  const field = textField({
    label: 'API key',
    optional: signedIn,
    hint: signedIn
      ? 'Leave empty to use your own account, or paste a key to test it.'
      : 'The key is forgotten when you close this page.',
    input: { type: 'password', placeholder: 'sk-…', spellcheck: 'false', autocapitalize: 'none' },
  });
  const show = h(
    'button',
    {
      type: 'button',
      class: 'btn quiet',
      'aria-pressed': false,
      'aria-label': 'Show key',
      onclick: toggleKey,
    },
    'Show',
  );
  const keyRow = h('div', { class: 'chat-key' });
  field.control.replaceWith(keyRow);
  keyRow.append(field.control, show);
  const result = h('div', { role: 'status', class: 'chat-result' });
  const test = h(
    'button',
    { type: 'button', class: signedIn ? 'btn' : 'btn primary', onclick: () => void load(true) },
    'Test Connection',
  );
  const element = h('div', { class: 'stack tight' }, field.element, h('div', null, test), result);
  let running = new AbortController();
  let timer = 0;
  /** The key was entered with Enter. */
  let isEntered = false;
  let isLoading = false;
  /** The key that the list was loaded with; the initial value equals no key. */
  let loadedKey = '\n';

  function toggleKey() {
    const isShown = field.control.type === 'text';
    field.control.type = isShown ? 'password' : 'text';
    show.setAttribute('aria-pressed', String(!isShown));
    show.textContent = isShown ? 'Show' : 'Hide';
  }

  const key = () => field.control.value.trim();

  /** @type {import('../types.js').Send} */
  async function send(path, init) {
    const headers = new Headers(init.headers);
    const value = key();
    if (value === '' && !signedIn) throw new ServerFailure('Enter an API key first.');
    if (!/^[\x20-\x7e]*$/.test(value))
      throw new ServerFailure('The key contains characters that are not allowed in a key.');
    if (value !== '') headers.set('authorization', `Bearer ${value}`);
    return api.raw(path, { ...init, headers });
  }

  /**
   * @param {'ok' | 'bad'} kind
   * @param {...import('../../lib/h.js').Child} content
   */
  function showResult(kind, ...content) {
    result.replaceChildren(h('div', { class: `note ${kind} small` }, h('div', null, ...content)));
  }

  /** @param {boolean} value */
  function setLoading(value) {
    isLoading = value;
    test.setAttribute('aria-busy', String(value));
  }

  function abort() {
    clearTimeout(timer);
    running.abort();
    setLoading(false);
  }

  /** @param {boolean} isTest show a success too */
  async function load(isTest) {
    abort();
    running = new AbortController();
    const { signal } = running;
    loadedKey = key();
    setLoading(true);
    if (isTest) result.replaceChildren(h('p', { class: 'muted small' }, 'Asking the server …'));
    try {
      const response = await send('/v1/models', { signal });
      if (!response.ok) throw await readFailure(response);
      const models = toModels(await response.json());
      if (signal.aborted) return;
      test.classList.remove('primary');
      if (isEntered && document.activeElement === field.control) onEntered();
      onModels(models);
      // A failure that stands there is answered too: without it the button would move away under the pointer.
      const isAnswered = isTest || result.childElementCount > 0;
      if (isAnswered) showResult('ok', `Connection works: ${plural(models.length, 'model')}.`);
    } catch (error) {
      if (signal.aborted) return;
      const failure = toFailure(error, 'Test Connection');
      setLoading(false);
      const isKeyRefused = loadedKey !== '' && (failure.status === 401 || failure.status === 403);
      onModels(null, isKeyRefused ? 'The key was refused' : 'Loading the models failed');
      const detail = h('p', { class: 'failure-detail' }, describeFailure(failure));
      showResult('bad', failure.message, detail);
    } finally {
      if (!signal.aborted) setLoading(false);
    }
  }

  function onKey() {
    clearTimeout(timer);
    if (key() === loadedKey) return;
    if (key() !== '' || signedIn) void load(false);
    else {
      abort();
      loadedKey = '';
      result.replaceChildren();
      onModels(null, 'Enter an API key first');
    }
  }

  field.control.addEventListener('input', () => {
    isEntered = false;
    clearTimeout(timer);
    timer = setTimeout(onKey, TYPING_PAUSE_MS);
  });
  field.control.addEventListener('change', onKey);
  field.control.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    isEntered = true;
    onKey();
  });

  addEventListener('server-back', () => {
    if (key() !== '' || signedIn) void load(false);
  });

  return {
    element,
    send,
    key,
    isLoading: () => isLoading,
    /** Helps when no model can be chosen: loads the list again, or moves the focus to the missing key. */
    requestModels() {
      if (key() === '' && signedIn) return void load(true);
      if (key() === '' && !signedIn) field.setError('Enter an API key first.');
      field.control.focus();
    },
    start() {
      if (signedIn) void load(false);
    },
    focusFirst: () => focusFirst(field.control),
  };
}
