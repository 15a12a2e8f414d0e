import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { changeConfig } from '../../src/store/change-config.ts';
import { withEntity } from '../../src/store/changes.ts';
import { NO_LIMITS } from '../../src/store/limit-rules.ts';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { ADMIN, type AppUnderTest, expectStatus, startApp } from '../helpers/start-app.ts';
import { modelButton, textOf } from './chat-setup.ts';
import { SAMPLE_PASSWORD } from './sample-data.ts';
import { chooseTab, row, SKIPPED, takeNewKey } from './start-browser.ts';
import { startTraffic } from './traffic-setup.ts';
import { expectText, findStrangers, PAYLOADS, visitWatched } from './xss-watch.ts';

const options = { skip: SKIPPED };
const NAME = '<img src=/xss onerror=xss()>';
const PASSWORD = 'a password of theirs';
/** Names hold no line ends and tabs. */
const NAMES = PAYLOADS.map((payload) => payload.replaceAll(/[\n\t]/g, ' '));

/** Fills every stored name with every payload, past the checks of the API: files are edited by hand too. */
async function fill(app: AppUnderTest, upstreamOrigin: string): Promise<void> {
  await expectStatus(
    201,
    await app.admin('POST', '/api/admin/users', { username: NAME, password: PASSWORD }),
  );
  for (const [index, name] of NAMES.entries()) {
    await app.addProvider(
      { id: name, name, baseUrl: index === 1 ? `${upstreamOrigin}/v1` : `https://example.com/${name}` },
      [{ id: name, name, upstreamModel: name }],
    );
  }
  await app.addProvider(
    { id: 'raw', baseUrl: 'javascript:xss()//"><img src=x onerror=xss()>', enabled: false },
    [],
  );
  await app.addKey({ name: NAME });
  const { users, apiKeys } = app.services.store.config.view();
  const [user] = users.values();
  const [key] = apiKeys.values();
  assert.ok(user && key);
  await changeConfig(app.services.store.config, (state) => ({
    state: NAMES.reduce((before, name, index) => {
      const fields = { name, digest: index.toString(16).padStart(64, '0'), keyHint: `sk-…${name}` };
      const withKey = withEntity(before, 'apiKeys', { ...key, ...fields, id: `key-${name}`, models: [name] });
      const isSignedIn = name === NAME;
      return isSignedIn ? withKey : withEntity(withKey, 'users', { ...user, id: name, username: name, name });
    }, state),
    result: null,
  }));
  await app.addKey({ userId: user.id, name: NAME });
}

async function signIn(page: Page, origin: string, username: string, password: string): Promise<void> {
  const response = await page.context().request.post(`${origin}/api/login`, { data: { username, password } });
  assert.equal(response.status(), 200);
}

async function startFilled(t: TestContext): Promise<AppUnderTest> {
  const answerOfPayloads = { object: 'list', data: NAMES.map((id) => ({ id, object: 'model' })) };
  const upstream = await startUpstream(t, json(answerOfPayloads));
  const app = await startApp(t, { env: { UI_USERNAME: '"><img src=x onerror=xss()>' } });
  await fill(app, upstream.origin);
  return app;
}

/** Waits until a list has so many rows, and none that is still to be drawn. */
async function drawnWhole(page: Page, count: number): Promise<void> {
  const rows = page.locator('table.managed:not([aria-rowcount]) tbody tr');
  await rows.nth(count - 1).waitFor();
  await page.locator('table[aria-rowcount]').waitFor({ state: 'detached' });
}

test('stored names are text on every tab of the panel', options, async (t) => {
  const app = await startFilled(t);
  const { page, open } = await visitWatched(t, app.origin);
  await signIn(page, app.origin, app.config.uiUsername, ADMIN.password);
  const panel = await open('/admin.html#overview');
  await panel.getByRole('heading', { name: 'Set it up' }).waitFor();
  await expectText(panel, [app.config.uiUsername], 'Overview');
  for (const tab of ['Providers', 'Models', 'API Keys', 'Users']) {
    await chooseTab(panel, tab);
    await drawnWhole(panel, NAMES.length);
    await expectText(panel, NAMES, tab);
    for (const button of await row(panel, NAME).first().getByRole('button').all()) {
      await button.click();
      const dialog = panel.locator('dialog[open]');
      await dialog.waitFor();
      await expectText(panel, [NAME], `${tab}: ${await textOf(dialog.locator('h2').first())}`);
      await panel.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    }
    const link = row(panel, NAME).first().getByRole('link', { name: NAME });
    if ((tab !== 'API Keys' && tab !== 'Users') || (await link.count()) === 0) continue;
    await link.first().click();
    const drawer = panel.locator('.drawer');
    await drawer.waitFor();
    await expectText(panel, [NAME], `${tab}: drawer`);
    await panel.keyboard.press('Escape');
  }
  await chooseTab(panel, 'Chat');
  await modelButton(panel).click();
  await panel
    .getByRole('option')
    .nth(NAMES.length - 1)
    .waitFor();
  await expectText(panel, NAMES, 'Chat');
});

test('names from the provider’s list, from a new key and from a backup are text too', options, async (t) => {
  const app = await startFilled(t);
  const { page, open } = await visitWatched(t, app.origin);
  await signIn(page, app.origin, app.config.uiUsername, ADMIN.password);
  const panel = await open('/admin.html#providers');
  await row(panel, NAME)
    .first()
    .getByRole('button', { name: /^Fetch models/ })
    .click();
  await panel
    .locator('dialog[open] .picker')
    .getByText(NAMES.at(-1) ?? '')
    .waitFor();
  await expectText(panel, NAMES, 'models of a provider');
  await panel.keyboard.press('Escape');

  await chooseTab(panel, 'API Keys');
  await panel.getByRole('button', { name: 'Add API Key' }).click();
  await panel.getByLabel('Name', { exact: true }).fill(NAME);
  await panel
    .getByRole('button', { name: /^(Save|Create)/ })
    .last()
    .click();
  await panel.getByText('Copy the key now').waitFor();
  await expectText(panel, [NAME], 'the new key');
  await takeNewKey(panel);

  await app.admin('DELETE', '/api/admin/providers/raw');
  const backup = await app.admin('GET', '/api/admin/backup?secrets=omit');
  const file = {
    name: `${NAME}.json`,
    mimeType: 'application/json',
    buffer: Buffer.from(await backup.text()),
  };
  await changeConfig(app.services.store.config, (state) => ({
    state: { ...state, providers: new Map(), models: new Map(), apiKeys: new Map() },
    result: null,
  }));
  await chooseTab(panel, 'Settings');
  await panel.getByLabel('Backup file').setInputFiles(file);
  await panel.getByRole('button', { name: 'Check the file' }).click();
  await panel.getByRole('button', { name: 'Restore now' }).waitFor();
  await expectText(panel, NAMES.slice(0, 10), 'the report of a restore');
});

test('the message for a new user is text', options, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visitWatched(t, app.origin);
  await signIn(page, app.origin, ADMIN.username, ADMIN.password);
  const panel = await open('/admin.html#users');
  await panel.getByRole('button', { name: 'Add User' }).click();
  const fields = { Username: `u${NAME}`, 'Full name': NAME, Password: `p${NAME}` };
  for (const [label, text] of Object.entries(fields)) await panel.getByLabel(label).fill(text);
  await panel.getByRole('button', { name: 'Save' }).click();
  await panel.getByText('The password cannot be shown again later.').waitFor();
  await expectText(panel, Object.values(fields), 'the message for a new user');
});

test('a user of a bad name sees it as text, his keys and his models too', options, async (t) => {
  const app = await startFilled(t);
  const { page, open } = await visitWatched(t, app.origin);
  await signIn(page, app.origin, NAME, PASSWORD);
  const own = await open('/dashboard.html');
  await row(own, NAME).first().waitFor();
  await drawnWhole(own, NAMES.length);
  await expectText(own, [...NAMES, `Hello, ${NAME}`], 'dashboard');
  await own.context().clearCookies();
  await row(own, NAME).first().getByRole('switch').click();
  await own.getByRole('dialog', { name: 'Please sign in again' }).waitFor();
  await expectText(own, [NAME], 'signing in again');
});

test('names are text in figures, charts, needs, budgets and requests', options, async (t) => {
  const [model = '', provider = '', key = '', user = '', said = ''] = NAMES;
  const { app, upstream, chat } = await startTraffic(t, { provider, key, user });
  await app.addProvider({ id: 'one', name: provider, baseUrl: `${upstream.origin}/v1` }, [{ id: model }]);
  assert.equal(await chat(model), 200);
  upstream.answer = json({ error: { message: said, type: said, code: said } }, 401);
  assert.equal(await chat(model), 502);
  const { page, open } = await visitWatched(t, app.origin);
  await signIn(page, app.origin, ADMIN.username, ADMIN.password);
  const panel = await open('/admin.html#overview');
  await panel.getByRole('button', { name: /^All \d+$/ }).click();
  await panel.getByRole('radio', { name: 'Requests' }).click();
  await panel.locator('.chart-svg').focus();
  await panel.keyboard.press('End');
  await expectText(panel, [model, provider, key, user], 'Overview with traffic');
  await panel.getByRole('button', { name: 'Table' }).click();
  await expectText(panel, [model], 'table of the chart');
  await panel.close();
  await signIn(page, app.origin, 'maria', SAMPLE_PASSWORD);
  const own = await open('/dashboard.html');
  await own.getByRole('radio', { name: 'Requests' }).click();
  await expectText(own, [model, `Hello, ${user}`], 'own page with traffic');
});

test('the stored webhook with its last result, limits and prices are text', options, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visitWatched(t, app.origin);
  await signIn(page, app.origin, ADMIN.username, ADMIN.password);
  await app.addProvider({ id: 'up', name: 'Up', baseUrl: 'https://example.com/v1' }, [
    { id: 'm', name: 'M' },
  ]);
  await app.addKey({ name: 'Limited', limits: { ...NO_LIMITS, rpm: 5 } });
  const price = { ...UNKNOWN_PRICE, inputPerMTok: 2, outputPerMTok: 10 };
  await changeConfig(app.services.store.config, (state) => {
    const up = state.providers.get('up');
    assert.ok(up);
    const prices = Object.fromEntries(['m', ...NAMES].map((name) => [name, { price, asOf: '2026-11-12' }]));
    return { state: withEntity(state, 'providers', { ...up, prices }), result: null };
  });
  for (const url of NAMES) {
    await changeConfig(app.services.store.config, (state) => {
      const alertWebhook = { url, secret: `${url}-${url}`, unreadable: null };
      return { state: { ...state, settings: { ...state.settings, alertWebhook } }, result: null };
    });
    const settings = await open('/admin.html#settings');
    const field = settings.getByLabel('Webhook URL');
    await field.waitFor();
    assert.equal(await field.inputValue(), url.trim());
    assert.deepEqual(await findStrangers(settings), [], url);
    await settings.close();
  }
  const told = await open('/admin.html#overview');
  await told.route('**/api/admin/settings', async (route) => {
    const response = await route.fetch();
    const { alertWebhook, ...rest } = await response.json();
    const lastResult = { at: new Date().toISOString(), ok: false, status: 500, message: NAMES.join(' ') };
    const webhook = { ...alertWebhook, secretHint: NAME, lastResult };
    await route.fulfill({ response, json: { ...rest, alertWebhook: webhook } });
  });
  await chooseTab(told, 'Settings');
  await told.getByText('Last alert (500)').waitFor();
  await expectText(told, NAMES, 'the last result of the webhook');
  await chooseTab(told, 'Models');
  await row(told, '$2 / $10').first().waitFor();
  assert.deepEqual(await findStrangers(told), [], 'prices');
  await told.route('**/api/admin/apikeys', async (route) => {
    const response = await route.fetch();
    const { data } = (await response.json()) as { data: { limits: object | null }[] };
    const withPayload = data.map((key) => ({
      ...key,
      limits: key.limits && { ...key.limits, allowedIps: NAMES },
    }));
    await route.fulfill({ response, json: { data: withPayload } });
  });
  await chooseTab(told, 'API Keys');
  await row(told, 'Limited').getByRole('link', { name: 'Limited' }).click();
  await told.locator('.drawer').getByText('Limits in effect').waitFor();
  await expectText(told, NAMES, 'limits');
});

test('addresses are no way in: query, hash, paths that do not exist', options, async (t) => {
  const app = await startApp(t);
  const { page, open } = await visitWatched(t, app.origin);
  await signIn(page, app.origin, ADMIN.username, ADMIN.password);
  const evil = encodeURIComponent('"><img src=x onerror=xss()>');
  for (const path of ['/admin.html', '/chat.html']) {
    for (const address of [
      `?next=javascript:xss()&model=${evil}&error=${evil}&q=${evil}#${evil}`,
      '#<img src=x onerror=xss()>',
      '#javascript:xss()',
      '#__proto__',
    ]) {
      const one = await open(`${path}${address}`);
      await one.locator('main').waitFor();
      assert.deepEqual(await findStrangers(one), [], address);
      assert.equal(new URL(one.url()).pathname, path);
      await one.close();
    }
  }
  for (const path of [`/${evil}`, `/v1/models/${evil}`, `/api/${evil}`, '/admin.html/%22%3E%3Cscript%3E']) {
    const response = await fetch(`${app.origin}${path}`);
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  }
});
