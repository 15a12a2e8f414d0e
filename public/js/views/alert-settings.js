import { api, messageOf } from '../lib/api.js';
import { alertBox, handleSubmit, setBusy, textField } from '../lib/form.js';
import { dateTime, milliseconds, relativeTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { createSegmented } from '../lib/segmented.js';
import { toast } from '../lib/toast.js';
import { hashOf } from '../lib/url-state.js';
import { defaultProviderCard } from './default-provider-card.js';

const PATH = '/api/admin/settings';
const UNPRICED = [
  { value: 'allow', label: 'Allow' },
  { value: 'refuse', label: 'Refuse' },
];

/** @typedef {{ at: string, ok: boolean, status: number | null, message: string }} LastResult */
/** @typedef {{ url: string, secretHint: string | null, secretUnreadable: boolean, lastResult: LastResult | null }} Webhook */

/** The cards for the default provider, models without a price and alerts. They load their settings themselves. */
export function alertSettings() {
  const provider = h('div');
  const prices = h('div');
  const alerts = h('div');
  const element = h('div', { class: 'stack' }, prices, alerts, provider);
  async function load() {
    try {
      const [settings, { data: providers }] = await Promise.all([
        api.get(PATH),
        api.get('/api/admin/providers'),
      ]);
      provider.replaceChildren(defaultProviderCard(settings.defaultProviderId, providers));
      show(settings);
    } catch (error) {
      const box = alertBox();
      box.show(messageOf(error));
      prices.replaceChildren(box.element);
    }
  }
  /** @param {{ unpricedModels: string, alertWebhook: Webhook | null }} settings */
  function show({ unpricedModels, alertWebhook }) {
    prices.replaceChildren(unpricedCard(unpricedModels));
    alerts.replaceChildren(webhookCard(alertWebhook, show));
  }
  return { element, load };
}

/** @param {string} stored */
function unpricedCard(stored) {
  let saved = stored;
  const choice = createSegmented({
    hasLegend: true,
    label: 'Models without a price',
    choices: UNPRICED,
    value: stored,
    onChange: async (value) => {
      try {
        saved = (await api.put(PATH, { unpricedModels: value })).unpricedModels;
        toast.ok(`Models without a price are ${saved === 'refuse' ? 'refused' : 'allowed'}.`);
      } catch (error) {
        toast.error(messageOf(error));
      }
      choice.set(saved);
    },
  });
  return h(
    'section',
    { class: 'card pad stack' },
    h('h2', null, 'Prices'),
    choice.element,
    h(
      'p',
      { class: 'hint' },
      'Requests without a price do not count against budgets in dollars. If you refuse them, only you and the master key can use such models. ',
      h(
        'a',
        { href: `${location.pathname}${hashOf('models', { price: 'none' })}` },
        'Show models without a price',
      ),
    ),
  );
}

/**
 * @param {Webhook | null} stored
 * @param {(settings: any) => void} onSaved gets the settings as they are now
 */
function webhookCard(stored, onSaved) {
  const alert = alertBox();
  const result = alertBox(stored?.lastResult?.ok === false ? 'warn' : 'ok');
  const url = textField({
    label: 'Webhook URL',
    param: 'alertWebhook.url',
    hint: 'A POST is sent to this address when a budget is nearly or completely used up, when a provider fails or refuses its key, and when the storage fails.',
    input: {
      type: 'url',
      value: stored?.url ?? '',
      required: true,
      placeholder: 'https://example.com/alerts',
      spellcheck: 'false',
    },
  });
  const secret = textField({
    label: 'Signing secret',
    param: 'alertWebhook.secret',
    hint: stored?.secretUnreadable
      ? 'The stored secret cannot be read. Enter it again.'
      : stored?.secretHint
        ? `Stored: ${stored.secretHint}. Leave empty to keep it.`
        : 'Signs every alert, so that the receiver can trust it: 8 to 256 characters.',
    input: {
      type: 'password',
      autocomplete: 'off',
      required: stored === null,
      minlength: 8,
      maxlength: 256,
      spellcheck: 'false',
    },
  });
  const submit = h('button', { type: 'submit', class: 'btn primary' }, 'Save');
  const test = h('button', { type: 'button', class: 'btn', onclick: () => void sendTest() }, 'Send a test');
  const remove = h(
    'button',
    { type: 'button', class: 'btn quiet', onclick: () => void removeIt() },
    'Remove',
  );
  const form = h(
    'form',
    { class: 'card pad stack', 'aria-label': 'Alerts' },
    h('h2', null, 'Alerts'),
    alert.element,
    url.element,
    secret.element,
    h('div', { class: 'row wrap' }, submit, stored !== null && test, stored !== null && remove),
    result.element,
  );
  if (stored?.lastResult) result.show(resultText(stored.lastResult));
  handleSubmit(form, {
    fields: [url, secret],
    submit,
    alert,
    save: async () => {
      const webhook = {
        url: url.control.value.trim(),
        ...(secret.control.value && { secret: secret.control.value }),
      };
      onSaved(await api.put(PATH, { alertWebhook: webhook }));
      toast.ok('The webhook is saved. Send a test to see that it arrives.');
    },
  });

  async function sendTest() {
    if (test.getAttribute('aria-busy') === 'true') return;
    setBusy(test, true);
    try {
      const { ok, status, ms, message } = await api.post(`${PATH}/alert-test`);
      const name = status === null ? '' : `${status}, `;
      result.show(
        ok ? `The test arrived: ${name}${milliseconds(ms)}.` : `The test did not arrive: ${name}${message}`,
      );
    } catch (error) {
      alert.show(messageOf(error));
    }
    setBusy(test, false);
  }

  async function removeIt() {
    try {
      onSaved(await api.put(PATH, { alertWebhook: null }));
      toast.ok('Alerts are sent nowhere now.');
    } catch (error) {
      alert.show(messageOf(error));
    }
  }
  return form;
}

/** @param {LastResult} last */
function resultText({ at, ok, status, message }) {
  const name = status === null ? '' : ` (${status})`;
  const time = h('time', { datetime: at, title: dateTime(at) }, relativeTime(at));
  return [`Last alert${name} `, ok ? 'arrived ' : 'did not arrive ', time, ok ? '.' : `: ${message}`];
}
