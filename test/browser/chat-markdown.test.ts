import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { MASTER_KEY } from '../helpers/start-app.ts';
import { answers, ask, messageField, modelReady, openChat, startChat, textOf, useKey } from './chat-setup.ts';
import { SKIPPED, visit } from './start-browser.ts';

const options = { skip: SKIPPED };
const CODE = 'if (a < b && c > "d") {\n\treturn `<b>$x</b>`;\n}';
const HEBREW = 'שלום עולם, זהו משפט.';
const FENCE = `\`\`\`js\n${CODE}\n\`\`\``;

const MARKDOWN = `## Plan

1. **bold** and *slanted*
2. \`code\` with ~~gone~~
   - [safe](https://example.com/a?b=1&c=2) and <https://example.org/auto>
   - bare https://example.net/x, [mail](mailto:a@example.com), [bad](javascript:alert(1)), [data](data:text/html,x)

| Name | Sum |
|:-----|----:|
| a\\|b | 1 |
| <i>c</i> | 2 |

> quoted

${FENCE}

- [x] done
- [ ] open

![a picture](https://example.com/p.png)
`;

test('Markdown becomes nodes: lists, tables, code, links to http and https alone', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await ask(page, 'Markdown, please');
  const call = await nextCall();
  for (const line of MARKDOWN.match(/[\s\S]{1,7}/g) ?? []) call.say(line);
  call.finish();
  const answer = answers(page).locator('.md');
  await answer.getByText('a picture').waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  assert.equal(await answer.getByRole('heading', { name: 'Plan' }).count(), 1);
  assert.equal(await answer.locator('ol > li').count(), 2);
  assert.equal(await answer.locator('ol > li > ul > li').count(), 2);
  assert.deepEqual(await answer.locator('th').allTextContents(), ['Name', 'Sum']);
  assert.deepEqual(await answer.locator('td').allTextContents(), ['a|b', '1', '<i>c</i>', '2']);
  assert.equal(
    await answer
      .locator('td')
      .nth(1)
      .evaluate((cell) => getComputedStyle(cell).textAlign),
    'right',
  );
  assert.equal(await textOf(answer.locator('pre')), CODE);
  assert.equal(await answer.locator('blockquote').count(), 1);
  assert.deepEqual(
    await answer
      .getByRole('checkbox')
      .evaluateAll((boxes) => boxes.map((box) => (box as HTMLInputElement).checked)),
    [true, false],
  );
  const links = await answer
    .locator('a')
    .evaluateAll((all) =>
      all.map((link) => [link.getAttribute('href'), link.getAttribute('rel'), link.getAttribute('target')]),
    );
  assert.deepEqual(
    links.map(([href]) => href),
    [
      'https://example.com/a?b=1&c=2',
      'https://example.org/auto',
      'https://example.net/x',
      'https://example.com/p.png',
    ],
  );
  for (const [, rel, target] of links)
    assert.deepEqual([rel, target], ['noopener noreferrer nofollow', '_blank']);
  assert.equal(await answer.locator('img, i, b').count(), 0);
  assert.match(await textOf(answer.locator('li li').nth(1)), /\[bad\]\(javascript:alert\(1\)\)/);
});

test(
  'a fence that is open while the stream goes on is code already, and stays so at its end',
  options,
  async (t) => {
    const { app, nextCall } = await startChat(t);
    const { page } = await openChat(t, app, 'Chat tab');
    await ask(page, 'Code, please');
    const call = await nextCall();
    call.say('Here:\n\n```py');
    call.say('thon\nfirst = 1\n<script>');
    const code = answers(page).locator('pre');
    await code.getByText('<script>').waitFor();
    await code.evaluate((node) => node.setAttribute('data-same', 'yes'));
    call.say('alert(1)</script>\n*not slanted*');
    await code.getByText('*not slanted*').waitFor();
    assert.equal(await code.getAttribute('data-same'), 'yes');
    call.finish();
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    assert.equal(await textOf(code), 'first = 1\n<script>alert(1)</script>\n*not slanted*');
    assert.equal(await textOf(answers(page).locator('.code-head')), 'python');
  },
);

test('text from right to left begins at the right, wherever it stands', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await openChat(t, app, 'chat page');
  await ask(page, `${HEBREW}\nand English`);
  const call = await nextCall();
  call.say(`${HEBREW}\n\n- ${HEBREW}\n\n# ${HEBREW}\n\nEnglish`);
  call.finish();
  const answer = answers(page).locator('.md');
  await answer.getByText('English').waitFor();
  for (const part of [
    page.locator('.bubble'),
    answer.locator('p').first(),
    answer.locator('li'),
    answer.locator('h3'),
  ])
    assert.equal(await isFirstLetterAtTheRight(part), true, String(part));
  assert.equal(await isFirstLetterAtTheRight(answer.locator('p').last()), false);
  // A text area shows no range of its text.
  const style = await messageField(page).evaluate((field) => getComputedStyle(field).unicodeBidi);
  assert.equal(style, 'plaintext');
});

test('code is copied with one button, in a secure context', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page, context } = await openChat(t, app, 'chat page');
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await ask(page, 'Code, please');
  const call = await nextCall();
  call.say(FENCE);
  call.finish();
  for (const [name, text] of [
    ['Copy code', CODE],
    ['Copy answer', FENCE],
  ] as const) {
    const button = page.getByRole('button', { name }).last();
    const sign = await button.innerHTML();
    await keepSign(button);
    await button.click();
    await button.and(page.locator('[data-sign]')).waitFor();
    assert.notEqual(await button.getAttribute('data-sign'), sign);
    // A word for those who do not see the mark, and nothing that covers the buttons of the message.
    await page.getByRole('status').getByText('Copied.').waitFor({ state: 'attached' });
    assert.equal(await page.locator('.toast').count(), 0);
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
    const shown = await button.elementHandle();
    await page.waitForFunction(([node, before]) => node?.innerHTML === before, [shown, sign] as const);
  }
});

test('on plain http, where there is no clipboard, the code is selected', options, async (t) => {
  const { app, nextCall } = await startChat(t);
  const { page } = await visit(t, `http://panel.example:${app.port}`, '/chat.html');
  assert.deepEqual(await page.evaluate(() => [isSecureContext, 'clipboard' in navigator]), [false, false]);
  await useKey(page, MASTER_KEY);
  await modelReady(page);
  await ask(page, 'Code, please');
  const call = await nextCall();
  call.say(FENCE);
  call.finish();
  const copy = page.getByRole('button', { name: 'Copy code' });
  await copy.click();
  await page.getByText('Copied.').waitFor();
  assert.equal(await selection(page), CODE);
  await page.evaluate(() => {
    getSelection()?.removeAllRanges();
    document.execCommand = () => false;
  });
  await copy.click();
  await page.getByText('Selected. Press Ctrl+C (or ⌘C) to copy it.').waitFor();
  assert.equal(await selection(page), CODE);
});

/** Keeps what stands in a button after its first change; the mark itself goes away after a while. */
function keepSign(button: Locator): Promise<void> {
  return button.evaluate((node) => {
    const observer = new MutationObserver(() => {
      observer.disconnect();
      node.setAttribute('data-sign', node.innerHTML);
    });
    observer.observe(node, { childList: true });
  });
}

function selection(page: Page): Promise<string> {
  return page.evaluate(() => String(getSelection()));
}

/** Whether the first letter of a text stands in the right half of its element. */
function isFirstLetterAtTheRight(part: Locator): Promise<boolean> {
  return part.evaluate((element) => {
    const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode();
    if (text === null) return false;
    const range = document.createRange();
    range.setStart(text, 0);
    range.setEnd(text, 1);
    const box = element.getBoundingClientRect();
    return range.getBoundingClientRect().left > box.left + box.width / 2;
  });
}
