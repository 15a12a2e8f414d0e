import assert from 'node:assert/strict';
import { test } from 'node:test';
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
import { holdRequests } from './held-answer.ts';
import { expectFocus } from './keyboard-hands.ts';
import { SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };
const MODELS = '**/v1/models';

for (const who of ['account', 'key'] as const) {
  test(
    `models asked for while they are being loaded are listed when they come: ${who}`,
    options,
    async (t) => {
      const { app } = await startChat(t);
      const { page, context } = await visit(t, app.origin, null);
      if (who === 'account') await context.request.post(`${app.origin}/api/login`, { data: ADMIN });
      const loaded = await holdRequests(page, MODELS);
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
  const loaded = await holdRequests(page, MODELS);
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
  const answered = await holdRequests(page, MODELS, { status: 503, body: 'Not now.' });
  await page.goto(`${app.origin}/chat.html`);
  await modelButton(page).click();
  answered.open();
  await page.getByRole('complementary', { name: 'Settings' }).getByText('Not now.').waitFor();
});
