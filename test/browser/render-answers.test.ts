import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { LONG_ANSWERS, PARTED_ANSWER, SAMPLE_ANSWER } from './answer-samples.ts';
import { watchTasks } from './page-tasks.ts';
import { serveRenderPage } from './render-page.ts';
import { findBarriers, type OpenOptions, SKIPPED, visit } from './start-browser.ts';
import { expectText, PAYLOADS, visitWatched } from './xss-watch.ts';

const options = { skip: SKIPPED };
const isLong = process.env['IPIN_LONG'] === '1';

interface RenderWindow {
  startAnswer(): { element: HTMLElement; append(text: string): void; finish(): Promise<void> };
  showAnswers(texts: readonly string[]): void;
}
declare global {
  interface Window extends RenderWindow {}
}

async function openPage(t: TestContext, looks: OpenOptions = {}): Promise<Page> {
  const { page } = await visit(t, await serveRenderPage(t), '/', looks);
  await page.getByRole('region', { name: 'Composer' }).waitFor();
  return page;
}

/** Shows an answer, and waits until its code has colours and its formulas are drawn. */
async function showWhole(page: Page, text: string): Promise<void> {
  await page.evaluate((answer) => window.showAnswers([answer]), text);
  await page.locator('.tok-k').first().waitFor();
  await page.locator('math').first().waitFor();
}

for (const theme of ['light', 'dark'] as const) {
  test(`an answer has no barriers, ${theme}`, options, async (t) => {
    const page = await openPage(t, { theme });
    await showWhole(page, SAMPLE_ANSWER);
    assert.deepEqual(await findBarriers(page), []);
  });
}

test('an answer in pieces becomes the nodes of the whole answer, however it is cut', options, async (t) => {
  const page = await openPage(t);
  await showWhole(page, SAMPLE_ANSWER);
  const whole = await page.locator('.md').innerHTML();
  for (const size of [1, 2, 7, 50, 1000]) {
    await page.evaluate(
      async ({ text, size }) => {
        const view = window.startAnswer();
        for (let at = 0; at < text.length; at += size) {
          view.append(text.slice(at, at + size));
          // A frame for each piece would take seconds; the pieces of a frame differ in number.
          if (at % 5 === 0) await new Promise(requestAnimationFrame);
        }
        await view.finish();
      },
      { text: SAMPLE_ANSWER, size },
    );
    assert.equal(await page.locator('.md').innerHTML(), whole, `pieces of ${size}`);
  }
});

test('long lists, quotes and tables in pieces become the parts of the whole', options, async (t) => {
  const page = await openPage(t);
  await page.evaluate((answer) => window.showAnswers([answer]), PARTED_ANSWER);
  await page.getByText('The end.').waitFor();
  const whole = await page.locator('.md').innerHTML();
  for (const size of [1, 13, 500]) {
    await page.evaluate(
      async ({ text, size }) => {
        const view = window.startAnswer();
        for (let at = 0; at < text.length; at += size) {
          view.append(text.slice(at, at + size));
          if (at % 97 === 0) await new Promise(requestAnimationFrame);
        }
        await view.finish();
      },
      { text: PARTED_ANSWER, size },
    );
    assert.equal(await page.locator('.md').innerHTML(), whole, `pieces of ${size}`);
  }
  const starts = await page
    .locator('.md ol')
    .evaluateAll((all) => all.map((list) => Reflect.get(list, 'start')));
  assert.deepEqual(starts, [3, 43, 83]);
  assert.deepEqual(await findBarriers(page), []);
});

test('the columns of a long table stay one below the other', options, async (t) => {
  const page = await openPage(t);
  await page.evaluate((answer) => window.showAnswers([answer]), PARTED_ANSWER);
  await page.getByText('The end.').waitFor();
  const lefts = await page
    .locator('.md-table tr')
    .evaluateAll((rows) =>
      [rows[0], rows[1], rows.at(-1)].map((row) =>
        [...(row?.children ?? [])].map((cell) => Math.round(cell.getBoundingClientRect().left)),
      ),
    );
  assert.equal(lefts[0]?.length, 3);
  assert.deepEqual(lefts[1], lefts[0]);
  assert.deepEqual(lefts[2], lefts[0]);
});

test('the elements of closed blocks are never touched while an answer arrives', options, async (t) => {
  const page = await openPage(t);
  await showWhole(page, SAMPLE_ANSWER);
  const { touched, observed } = await page.evaluate(async (text) => {
    const view = window.startAnswer();
    const touched: string[] = [];
    const observer = new MutationObserver((records) => {
      for (const { target, type } of records) touched.push(`${type} in ${target.textContent}`);
    });
    const known = new Set<Element>();
    for (let at = 0; at < text.length; at += 9) {
      view.append(text.slice(at, at + 9));
      await new Promise(requestAnimationFrame);
      // The last block is open, and the one before it may be part of it as long as the last line is unfinished.
      const blocks = view.element.querySelectorAll(':scope > .md-blocks > .md-blocks > *');
      for (const block of [...blocks].slice(0, -2)) {
        if (known.has(block)) continue;
        known.add(block);
        observer.observe(block, { subtree: true, childList: true, characterData: true, attributes: true });
      }
    }
    await view.finish();
    for (const block of known)
      if (block.parentElement?.parentElement?.parentElement !== view.element)
        touched.push(`removed: ${block.tagName}`);
    return { touched, observed: known.size };
  }, SAMPLE_ANSWER);
  assert.deepEqual(touched, []);
  assert.ok(observed > 10, String(observed));
});

test(
  'parts have their scope of styles from the start, and the last one is shown until the end',
  options,
  async (t) => {
    const page = await openPage(t);
    const readParts = () =>
      page.locator('.md-blocks, .md-part, .md-list > *, .md-table.is-long tbody').evaluateAll((parts) =>
        parts.map((part) => {
          const { contain, contentVisibility } = getComputedStyle(part);
          return { isEnd: part.matches('.md > :last-child > :last-child'), contain, contentVisibility };
        }),
      );
    const view = await page.evaluateHandle((text) => {
      const view = window.startAnswer();
      view.append(text);
      return view;
    }, PARTED_ANSWER);
    await page.getByText('The end.').waitFor();
    const parts = await readParts();
    assert.ok(parts.length > 10, `${parts.length} parts`);
    assert.deepEqual(
      parts.filter(({ contain }) => contain !== 'style'),
      [],
    );
    assert.equal(parts.find(({ isEnd }) => isEnd)?.contentVisibility, 'visible');
    await view.evaluate((answer) => answer.finish());
    assert.equal((await readParts()).find(({ isEnd }) => isEnd)?.contentVisibility, 'auto');
  },
);

test(
  'the parts of a long answer are in groups, of which those before the last are left out of sight',
  options,
  async (t) => {
    const page = await openPage(t);
    const groups = await page.evaluate(async (text) => {
      const view = window.startAnswer();
      view.append(text);
      await view.finish();
      return [...view.element.children].map((group) => ({
        parts: group.children.length,
        contentVisibility: getComputedStyle(group).contentVisibility,
      }));
    }, 'A paragraph.\n\n'.repeat(300));
    assert.deepEqual(groups, [
      { parts: 16, contentVisibility: 'auto' },
      { parts: 3, contentVisibility: 'visible' },
    ]);
  },
);

test('a very long block that has arrived stays laid out at its end', options, async (t) => {
  const page = await openPage(t);
  const ends = await page.evaluate(
    async (texts) => {
      const ends: unknown[] = [];
      for (const text of texts) {
        const view = window.startAnswer();
        view.append(text);
        await view.finish();
        const part = view.element.lastElementChild?.lastElementChild;
        ends.push(part ? getComputedStyle(part).contentVisibility : null);
      }
      return ends;
    },
    [SAMPLE_ANSWER, `- *item*\n`.repeat(6000)],
  );
  assert.deepEqual(ends, ['auto', 'visible']);
});

for (const [what, text] of LONG_ANSWERS) {
  test(`200 KB arrive without work being done again: ${what}`, options, async (t) => {
    const page = await openPage(t);
    const { added, nodes, renders, frames, shown } = await page.evaluate(async (text) => {
      Reflect.set(window, 'renders', 0);
      const view = window.startAnswer();
      let added = 0;
      const observer = new MutationObserver((records) => {
        for (const { addedNodes } of records)
          for (const node of addedNodes)
            added += 1 + (node instanceof Element ? node.querySelectorAll('*').length : 0);
      });
      observer.observe(view.element, { subtree: true, childList: true });
      const PIECE = 16;
      const PER_FRAME = 128;
      let frames = 0;
      for (let at = 0; at < text.length; at += PIECE) {
        view.append(text.slice(at, at + PIECE));
        if (at % (PIECE * PER_FRAME) !== 0) continue;
        frames += 1;
        await new Promise(requestAnimationFrame);
      }
      await view.finish();
      await new Promise(requestAnimationFrame);
      return {
        added,
        nodes: view.element.querySelectorAll('*').length,
        renders: Reflect.get(window, 'renders') as number,
        frames,
        shown: view.element.textContent.replace(/\s/g, '').length,
      };
    }, text);
    assert.ok(renders <= frames + 2, `${renders} renders in ${frames} frames`);
    // Each frame may show the open block again.
    assert.ok(
      added <= 3 * nodes + 200 * frames,
      `${added} nodes were added for ${nodes}, in ${frames} frames`,
    );
    assert.ok(shown > 50_000, 'the text is there');
  });

  test(`200 KB at 2,000 tokens per second without a task of over 50 ms: ${what}`, {
    skip: SKIPPED || (!isLong && 'takes 25 s; npm run test:long'),
  }, async (t) => {
    const page = await openPage(t);
    await showWhole(page, SAMPLE_ANSWER);
    const tasks = await watchTasks(page, () =>
      page.evaluate(async (text) => {
        const view = window.startAnswer();
        const CHARS_PER_SECOND = 8000;
        const start = performance.now();
        for (let at = 0; at < text.length; ) {
          await new Promise(requestAnimationFrame);
          const end = Math.round(((performance.now() - start) / 1000) * CHARS_PER_SECOND);
          for (; at < Math.min(end, text.length); at += 4) view.append(text.slice(at, at + 4));
        }
        await view.finish();
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
      }, text),
    );
    assert.ok(tasks.length > 500, `${tasks.length} tasks`);
    const long = tasks.filter(({ cpuMs }) => cpuMs > 50);
    assert.deepEqual(long, []);
  });
}

test(
  'what an answer holds is text, in pieces or whole: nothing runs, nothing is requested',
  options,
  async (t) => {
    const origin = await serveRenderPage(t);
    const { page } = await visitWatched(t, origin);
    await page.goto(`${origin}/`);
    await page.getByRole('region', { name: 'Composer' }).waitFor();
    const contexts: readonly ((payload: string) => string)[] = [
      (payload) => payload,
      (payload) => `- [x] ${payload}\n\n> ${payload}\n\n# ${payload}`,
      (payload) => `| ${payload} | b |\n|---|---|\n| ${payload} | [${payload}](${payload}) |`,
      (payload) => `\`\`\`${payload.split('\n')[0]}\n${payload}\n\`\`\`\n\n    ${payload}`,
      (payload) => `$$\n${payload}\n$$\n\n\\(\\text{${payload}}\\) $x_{${payload}}$`,
      (payload) => `[^${payload}]: ${payload}\n\n![${payload}](https://evil.example/x.png "${payload}")`,
    ];
    for (const wrap of contexts) {
      const text = PAYLOADS.map(wrap).join('\n\n');
      await page.evaluate(async (answer) => {
        const view = window.startAnswer();
        for (let at = 0; at < answer.length; at += 31) {
          view.append(answer.slice(at, at + 31));
          if (at % 4 === 0) await new Promise(requestAnimationFrame);
        }
        await view.finish();
      }, text);
      await page.evaluate(() => import(new URL('/js/chat/render/mathml.js', location.href).href));
      await expectText(page, ['<script>xss()</script>'], 'an answer in pieces');
      await page.evaluate((answer) => window.showAnswers([answer]), text);
      await expectText(page, ['<script>xss()</script>'], 'a whole answer');
      const links = await page
        .locator('.md a')
        .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
      for (const link of links) assert.match(link, /^https:\/\/evil\.example\//);
      assert.equal(await page.locator('.md img').count(), 0);
    }
  },
);

test('the modules for colours and formulas are loaded when the first one comes', options, async (t) => {
  const page = await openPage(t);
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname.split('/').at(-1) ?? ''));
  await page.evaluate(() => window.showAnswers(['Text, `code` and $5.\n\n```\nplain\n```']));
  await page.locator('pre').waitFor();
  assert.deepEqual(loaded, []);
  await page.evaluate(() => window.showAnswers(['```js\nlet a;\n```']));
  await page.locator('.tok-k').waitFor();
  assert.deepEqual(loaded.sort(), ['highlight.js', 'languages.js']);
  await page.evaluate(() => window.showAnswers(['$x^2$, $\\foo_1$']));
  await page.locator('math').waitFor();
  assert.deepEqual(loaded.sort(), [
    'highlight.js',
    'languages.js',
    'mathml.js',
    'tex-nodes.js',
    'tex-reader.js',
    'tex-symbols.js',
    'tex.js',
  ]);
  assert.equal(await page.locator('.md-math code').textContent(), '$\\foo_1$');
  assert.equal(await page.locator('math').getAttribute('alttext'), '$x^2$');
});

test('code is wrapped, downloaded and selected as it is', options, async (t) => {
  const page = await openPage(t);
  const code = Array.from({ length: 200 }, (_, n) => `line_${n} = f(${n})  # ${'x'.repeat(n)}`).join('\n');
  await page.evaluate((text) => window.showAnswers([text]), `\`\`\`py\n${code}\n\`\`\``);
  await page.locator('.tok-f').first().waitFor();
  const wrap = page.getByRole('button', { name: 'Wrap lines' });
  const isScrolling = () => page.locator('pre').evaluate((pre) => pre.scrollWidth > pre.clientWidth);
  assert.equal(await isScrolling(), true);
  await wrap.click();
  assert.equal(await wrap.getAttribute('aria-pressed'), 'true');
  assert.equal(await isScrolling(), false);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download code' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'code.py');
  assert.equal(await readFile(await download.path(), 'utf8'), code);
  const selected = await page.locator('pre').evaluate((pre) => {
    getSelection()?.selectAllChildren(pre);
    return String(getSelection());
  });
  assert.equal(selected, code);
});

test('a chat of 500 answers lays out those in view only', options, async (t) => {
  const page = await openPage(t);
  const skipped = await page.evaluate(
    async (text) => {
      window.showAnswers(Array.from({ length: 500 }, () => text));
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const answers = [...document.querySelectorAll('.md')];
      return answers.filter(
        (answer) => !answer.querySelector('p')?.checkVisibility({ contentVisibilityAuto: true }),
      ).length;
    },
    SAMPLE_ANSWER.slice(0, 800),
  );
  assert.ok(skipped > 450, String(skipped));
});
