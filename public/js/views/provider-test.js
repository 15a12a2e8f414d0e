import { api, messageOf } from '../lib/api.js';
import { openDialog } from '../lib/dialog.js';
import { setBusy } from '../lib/form.js';
import { number } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { memberPath } from '../lib/resource.js';

/**
 * Tests a provider and shows the result of each step.
 * @param {import('../lib/types.js').Provider} provider
 */
export function testProvider(provider) {
  const result = h('div', { class: 'stack', 'aria-live': 'polite', 'aria-busy': 'true' });
  const again = h('button', { type: 'button', class: 'btn', onclick: () => void run() }, 'Run again');
  const close = h(
    'button',
    { type: 'button', class: 'btn primary', autofocus: true, onclick: () => dialog.close() },
    'Close',
  );
  const dialog = openDialog({ title: `Test of ${provider.name}`, body: [result], footer: [again, close] });
  let isRunning = false;

  async function run() {
    if (isRunning) return;
    isRunning = true;
    setBusy(again, true);
    result.replaceChildren(
      h(
        'p',
        { class: 'row wrap muted' },
        h('span', { class: 'spin' }),
        'Testing ',
        h('span', { class: 'mono wrap-anywhere' }, provider.baseUrl),
      ),
    );
    try {
      result.replaceChildren(
        ...report(await api.post(`${memberPath('/api/admin/providers', provider.id)}/test`)),
      );
    } catch (error) {
      result.replaceChildren(
        h('div', { class: 'note bad' }, icon('warning'), h('div', null, messageOf(error))),
      );
    }
    result.setAttribute('aria-busy', 'false');
    setBusy(again, false);
    isRunning = false;
  }
  void run();
}

/**
 * The result in one sentence. It says no more than the test shows: many providers list their models for any key, and
 * a provider without a list may still serve chats.
 * @param {import('../lib/types.js').ProviderTest} test
 */
function verdictOf(test) {
  if (test.ok) return ['ok', 'The provider answers and lists its models.'];
  if (test.steps.at(-1)?.name === 'models') return ['warn', 'The provider answers, but lists no models.'];
  return ['bad', 'This provider does not work yet.'];
}

/** @param {import('../lib/types.js').ProviderTest} test */
function report(test) {
  const [kind, verdict] = verdictOf(test);
  return [
    h('div', { class: `note ${kind}` }, icon(test.ok ? 'check' : 'warning'), h('div', null, verdict)),
    h('ol', { class: 'steps' }, ...test.steps.map(step)),
  ];
}

/** @param {import('../lib/types.js').ProviderTest['steps'][number]} one */
function step(one) {
  const name = one.name.charAt(0).toUpperCase() + one.name.slice(1).replaceAll('_', ' ');
  return h(
    'li',
    { class: one.ok ? 'ok' : 'bad' },
    icon(one.ok ? 'check' : 'close'),
    h(
      'div',
      { class: 'grow' },
      h(
        'div',
        { class: 'row between' },
        h('strong', null, name),
        h('span', { class: 'muted small nowrap' }, `${number(Math.round(one.ms))} ms`),
      ),
      h(
        'p',
        { class: 'small wrap-anywhere' },
        h('span', { class: 'sr' }, one.ok ? 'Passed: ' : 'Failed: '),
        one.message,
      ),
    ),
  );
}
