import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';

const MOST_STEPS = 80;

/** Works a page from the keyboard alone, and looks at the focus at every step. */
export interface Keyboard {
  /** Goes with Tab (or Shift+Tab) until the control has the focus. */
  goTo(control: Locator, options?: { backwards?: boolean }): Promise<void>;
  press(...keys: readonly string[]): Promise<void>;
  /** Goes to a control and presses Enter. */
  activate(control: Locator): Promise<void>;
  /** Goes to a field and types over what is in it. */
  type(control: Locator, text: string): Promise<void>;
}

/** What the focused element looks like. */
interface Focus {
  readonly name: string;
  readonly isVisible: boolean;
  readonly isBehindDialog: boolean;
}

export function createKeyboard(page: Page): Keyboard {
  const hands: Keyboard = {
    async goTo(control, { backwards = false } = {}) {
      await control.waitFor();
      for (let step = 0; step < MOST_STEPS; step++) {
        if (await isFocused(control)) return checkFocus(page);
        await page.keyboard.press(backwards ? 'Shift+Tab' : 'Tab');
        await checkFocus(page);
      }
      assert.fail(`Tab does not reach ${control}`);
    },
    async press(...keys) {
      for (const key of keys) await page.keyboard.press(key);
    },
    async activate(control) {
      await hands.goTo(control);
      await page.keyboard.press('Enter');
    },
    async type(control, text) {
      await hands.goTo(control);
      await page.keyboard.press('ControlOrMeta+A');
      await page.keyboard.type(text);
    },
  };
  return hands;
}

/** Waits until a control has the focus, also where it is drawn anew meanwhile. */
export async function expectFocus(page: Page, control: Locator): Promise<void> {
  await control.and(page.locator(':focus')).waitFor({ state: 'attached' });
}

function isFocused(control: Locator): Promise<boolean> {
  return control.evaluate((element) => element === document.activeElement);
}

async function checkFocus(page: Page): Promise<void> {
  const focus = await page.evaluate(readFocus);
  // Between the last control and the first one the browser's own window has its turn.
  if (focus === null) return;
  assert.equal(focus.isBehindDialog, false, `the focus left the dialog: ${focus.name}`);
  assert.equal(focus.isVisible, true, `the focus cannot be seen: ${focus.name}`);
}

function readFocus(): Focus | null {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  // A choice is drawn by the label around its radio button, a number and a message by the box that they share with others.
  const drawn =
    element.closest('.seg label, .affix') ?? element.closest('textarea')?.closest('.composer') ?? element;
  // The name in a row is outlined with its whole row.
  const part = element.matches('.table a.name') ? '::after' : null;
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(drawn, part);
  const { width, height, top, bottom } = drawn.getBoundingClientRect();
  const isOutlined =
    outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 && !/, 0\)$/.test(outlineColor);
  const isInSight = width > 0 && height > 0 && bottom > 0 && top < innerHeight;
  const dialogs = document.querySelectorAll('dialog[open]');
  const last = dialogs[dialogs.length - 1];
  return {
    name: `${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent?.slice(0, 60)}`,
    isVisible: isOutlined && isInSight,
    isBehindDialog: last !== undefined && !last.contains(element),
  };
}
