import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { findBarriers, isOverflowing } from './start-browser.ts';

type Look = readonly [widthPx: number, colorScheme: 'light' | 'dark'];

/** Colours hang on the theme and overflow on the width: two looks see each of them once. */
const LOOKS: readonly Look[] = [
  [360, 'dark'],
  [1440, 'light'],
];
const MORE_LOOKS: readonly Look[] = [
  [360, 'light'],
  [1440, 'dark'],
];

export const ALL_LOOKS = [...LOOKS, ...MORE_LOOKS];

/** Looks at a page as it is now, on a phone and on a large screen, light and dark: no barrier, nothing wider than the window. */
export async function checkLooks(page: Page, place: string): Promise<void> {
  for (const [width, colorScheme] of process.env['IPIN_LONG'] === '1' ? ALL_LOOKS : LOOKS) {
    const look = `${place} at ${width} px, ${colorScheme}`;
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await settle(page);
    assert.equal(await isOverflowing(page), false, `${look} is wider than the window`);
    assert.deepEqual(await findBarriers(page), [], look);
  }
}

/** Finishes the animations that end, and those that follow from them: half-way through one, colours are mixed. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // Scripts hear of a new size in the next frame.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    for (;;) {
      const running = document
        .getAnimations()
        .filter(
          ({ playState, effect }) =>
            playState === 'running' && effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY,
        );
      if (running.length === 0) return;
      for (const animation of running) animation.finish();
      await Promise.all(running.map(({ finished }) => finished));
    }
  });
}
