/** Who is asking and what may be asked: the key, the list of models, the test of both. */
import { api } from '../lib/api.js';
import { textField } from '../lib/form.js';
import { plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { describeFailure, readFailure, ServerFailure, toFailure } from './chat-failure.js';
import { toChatModels } from './chat-tasks.js';

/** Long enough that a key typed by hand is not tried letter by letter. */
const TYPING_PAUSE_MS = 500;

/**
 * The key is kept in its field alone: never stored, gone with the page.
 * @param {{ signedIn: boolean, onModels: (models: import('./chat-tasks.js').ChatModel[] | null, whyNone?: string) => void }} options
 *   onModels: null while there is no list, and why in a few words
 */
export function createConnection({ signedIn, onModels }) {
  const field = textField({
    label: 'API Key',
    optional: signedIn,
    hint: signedIn ? 'Empty: your session is used. Paste a key to test it.' : 'Stays in this page’s memory.',
    input: { type: 'password', placeholder: 'sk-…', spellcheck: 'false', autocapitalize: 'none' },
  });
  const show = h(
    'button',
    { type: 'button', class: 'btn ghost small', 'aria-pressed': false, onclick: toggleKey },
    'Show',
  );
  show.setAttribute('aria-label', 'Show key');
  const keyRow = h('div', { class: 'chat-key' });
  field.control.replaceWith(keyRow);
  keyRow.append(field.control, show);
  const result = h('div', { role: 'status', class: 'chat-result' });
  const test = h(
    'button',
    { type: 'button', class: 'btn block', onclick: () => void load(true) },
    'Test Connection',
  );
  const element = h('div', { class: 'stack tight' }, field.element, test, result);
  let running = new AbortController();
  let timer = 0;
  let loadedFor = '\n';

  function toggleKey() {
    const isShown = field.control.type === 'text';
    field.control.type = isShown ? 'password' : 'text';
    show.setAttribute('aria-pressed', String(!isShown));
    show.textContent = isShown ? 'Show' : 'Hide';
  }

  const key = () => field.control.value.trim();

  /** @type {import('./chat-request.js').Send} */
  async function send(path, init) {
    const headers = new Headers(init.headers);
    const value = key();
    if (value === '' && !signedIn) throw new ServerFailure('Enter an API key first.');
    if (!/^[\x20-\x7e]*$/.test(value))
      throw new ServerFailure('The key holds characters that no key can have.');
    if (value !== '') headers.set('authorization', `Bearer ${value}`);
    return api.raw(path, { ...init, headers });
  }

  /**
   * @param {'ok' | 'danger'} kind
   * @param {...import('../lib/h.js').Child} words
   */
  function say(kind, ...words) {
    result.replaceChildren(h('div', { class: `alert ${kind} small` }, h('div', null, ...words)));
  }

  function halt() {
    clearTimeout(timer);
    running.abort();
    test.setAttribute('aria-busy', 'false');
  }

  /** @param {boolean} isTest the outcome is shown even where it is good */
  async function load(isTest) {
    halt();
    running = new AbortController();
    const { signal } = running;
    loadedFor = key();
    test.setAttribute('aria-busy', 'true');
    if (isTest) result.replaceChildren(h('p', { class: 'muted small' }, 'Asking the server …'));
    try {
      const response = await send('/v1/models', { signal });
      if (!response.ok) throw await readFailure(response);
      const models = toChatModels(await response.json());
      if (signal.aborted) return;
      onModels(models);
      if (isTest) say('ok', `Connection works: ${plural(models.length, 'model')}.`);
      else result.replaceChildren();
    } catch (error) {
      if (signal.aborted) return;
      const failure = toFailure(error, 'Test Connection');
      const isKeyRefused = loadedFor !== '' && (failure.status === 401 || failure.status === 403);
      onModels(null, isKeyRefused ? 'This key gives no models' : 'No models could be read');
      say('danger', failure.message, h('p', { class: 'chat-failure-detail' }, describeFailure(failure)));
    } finally {
      if (!signal.aborted) test.setAttribute('aria-busy', 'false');
    }
  }

  function onKey() {
    clearTimeout(timer);
    if (key() === loadedFor) return;
    if (key() !== '' || signedIn) void load(false);
    else {
      halt();
      loadedFor = '';
      result.replaceChildren();
      onModels(null, 'Enter an API key first');
    }
  }

  field.control.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(onKey, TYPING_PAUSE_MS);
  });
  field.control.addEventListener('change', onKey);
  field.control.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') onKey();
  });

  addEventListener('server-back', () => {
    if (key() !== '' || signedIn) void load(false);
  });

  return {
    element,
    send,
    /** Without a model to ask: asks for the list again, or leads to the key where that is what is lacking. */
    complain() {
      if (key() === '' && signedIn) return void load(true);
      if (key() === '' && !signedIn) field.setError('Enter an API key first.');
      field.control.focus();
    },
    start() {
      if (signedIn) void load(false);
    },
  };
}
