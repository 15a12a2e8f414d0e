import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createGate, type Gate } from '../helpers/gate.ts';
import { ADMIN, MASTER_KEY } from '../helpers/start-app.ts';
import {
  messageField,
  modelButton,
  modelReady,
  settingsButton,
  startChat,
  stored,
  useKey,
} from './chat-setup.ts';
import { expectFocus } from './keyboard-hands.ts';
import { SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };

/** Holds the list of models until the gate is open; then it comes, or this answer. */
async function holdModels(page: Page, answer?: { status: number; body: string }): Promise<Gate> {
  const gate = createGate();
  await page.route('**/v1/models', async (route) => {
    await gate.opened;
    await (answer ? route.fulfill(answer) : route.continue());
  });
  return gate;
}

for (const who of ['account', 'key'] as const) {
  test(
    `models asked for while they are being loaded are listed when they come: ${who}`,
    options,
    async (t) => {
      const { app } = await startChat(t);
      const { page, context } = await visit(t, app.origin, null);
      if (who === 'account') await context.request.post(`${app.origin}/api/login`, { data: ADMIN });
      const loaded = createGate();
      await page.route('**/v1/models', async (route) => {
        await loaded.opened;
        await route.continue();
      });
      await page.goto(`${app.origin}/chat.html`);
      if (who === 'key') await useKey(page, MASTER_KEY);
      await modelButton(page).click();
      loaded.open();
      await page.getByRole('option').filter({ hasText: 'seeing-model' }).click();
      await modelButton(page).filter({ hasText: 'Seeing Model' }).waitFor();
      assert.equal(await settingsButton(page).getAttribute('aria-expanded'), 'false');
    },
  );
}

test('a list of models that comes after the person has gone on stays closed', options, async (t) => {
  const { app } = await startChat(t);
  const { page } = await visit(t, app.origin, '/chat.html');
  const loaded = await holdModels(page);
  await useKey(page, MASTER_KEY);
  await modelButton(page).click();
  await messageField(page).focus();
  loaded.open();
  await modelReady(page);
  await stored(page);
  assert.equal(await page.getByRole('option').count(), 0);
  await expectFocus(page, messageField(page));
});

test('a list of models that was asked for and does not come opens the settings', options, async (t) => {
  const { app } = await startChat(t);
  const { page, context } = await visit(t, app.origin, null);
  await context.request.post(`${app.origin}/api/login`, { data: ADMIN });
  const answered = await holdModels(page, { status: 503, body: 'Not now.' });
  await page.goto(`${app.origin}/chat.html`);
  await modelButton(page).click();
  answered.open();
  await page.getByRole('complementary', { name: 'Settings' }).getByText('Not now.').waitFor();
});
