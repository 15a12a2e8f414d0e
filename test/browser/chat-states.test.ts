import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type LookAt,
  walkCompareStates,
  walkKeyStates,
  walkListStates,
  walkMediaStates,
  walkMemoryStates,
  walkTalkStates,
} from './chat-states.ts';
import { ALL_LOOKS, checkLooks, settle } from './looks.ts';
import { findBarriers, isOverflowing, SKIPPED } from './start-browser.ts';

const isLong = process.env['IPIN_LONG'] === '1';
const options = { skip: SKIPPED || (!isLong && 'takes minutes; npm run test:long') };

/** On a phone and on a large screen, light and dark. */
const check: LookAt = async (page, name, open) => {
  if (open === undefined) return await checkLooks(page, name);
  for (const [width, colorScheme] of ALL_LOOKS) {
    const look = `${name} at ${width} px, ${colorScheme}`;
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open();
    await settle(page);
    assert.equal(await isOverflowing(page), false, `${look} is wider than the window`);
    assert.deepEqual(await findBarriers(page), [], look);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
  }
};

for (const [what, walk] of [
  ['without an account', walkKeyStates],
  ['a conversation', walkTalkStates],
  ['the list of chats', walkListStates],
  ['a comparison', walkCompareStates],
  ['models for other things', walkMediaStates],
  ['nothing is kept', walkMemoryStates],
] as const)
  test(`no barriers in both themes, narrow and wide: ${what}`, options, (t) => walk(t, check));
