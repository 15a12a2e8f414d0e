import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { findBarriers, isOverflowing } from './start-browser.ts';

const SIZES = [360, 1440] as const;
const THEMES = ['light', 'dark'] as const;

/** Looks at a page as it is now, on a phone and on a large screen, light and dark: no barrier, nothing wider than the window. */
export async function checkLooks(page: Page, place: string): Promise<void> {
  for (const width of SIZES) {
    await page.setViewportSize({ width, height: 800 });
    assert.equal(await isOverflowing(page), false, `${place} is wider than ${width} px`);
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await settle(page);
      assert.deepEqual(await findBarriers(page), [], `${place} at ${width} px, ${colorScheme}`);
    }
  }
}

/** Waits for the animations that end: half-way through one, colours are mixed. */
export async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every(
        ({ playState, effect }) => playState !== 'running' || effect?.getTiming().iterations === Infinity,
      ),
  );
}
