import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { type Visitor, visit } from './start-browser.ts';

/** Texts that would run as script, or fetch something, on a page that took any of them for more than text. */
export const PAYLOADS: readonly string[] = [
  '<script>xss()</script>',
  '<img src=/xss onerror=xss()>',
  '<svg/onload=xss()><animate onbegin=xss() attributeName=x dur=1s>',
  '"><img src=x onerror="xss()">',
  "' onmouseover='xss()' autofocus onfocus='xss()' x='",
  '" style="background:url(/xss)" class="btn" tabindex=1 onfocus="xss()',
  'javascript:xss()',
  '[click](javascript:xss()) [tab](java\tscript:xss()) [case](JaVaScRiPt:xss())',
  '[data](data:text/html;base64,PHNjcmlwdD5wYXJlbnQueHNzKCk8L3NjcmlwdD4=)',
  '![image](https://evil.example/xss.png) ![x](javascript:xss())',
  '<https://evil.example/"onmouseover="xss()> <javascript:xss()>',
  '[ref]\n\n[ref]: javascript:xss()',
  '</title></textarea></style></noscript></script><script>xss()</script>',
  '<iframe srcdoc="<script>parent.xss()</script>"></iframe>',
  '<object data="/xss"></object><embed src="/xss"><link rel=stylesheet href=/xss>',
  '<base href=https://evil.example/><meta http-equiv=refresh content="0;url=/xss">',
  '&lt;img src=x onerror=xss()&gt; &#60;script&#62;xss()&#60;/script&#62;',
  '\\u003cimg src=x onerror=xss()\\u003e %3Cscript%3Exss()%3C/script%3E',
  '＜script＞xss()＜/script＞ <ſcript>xss()</ſcript>',
  '\u202e<img src=x onerror=xss()>\u202c\ufeff<scr\u200bipt>xss()</scr\u200bipt>',
  '<!--><img src=x onerror=xss()>--><![CDATA[<script>xss()</script>]]>',
  '`; xss(); //` $' + '{xss()} {{constructor.constructor("xss()")()}}',
  '<math><mtext></form><form><mglyph><style></math><img src=x onerror=xss()>',
  '<form action=javascript:xss()><button formaction=javascript:xss()>go</button><input autofocus onfocus=xss()>',
  '__proto__',
  '| a |\n|---|\n| <img src=x onerror=xss()> [x](javascript:xss()) |',
];

/** What pages may ask the app for. */
const OWN_ROUTES =
  /^\/(|(admin|chat|dashboard)\.html|(static\/[\w-]{22}\/)?(favicon\.svg|[a-z-]+\.(css|js)|js\/[a-z/-]+\.js)|api\/(me|login|(admin|user)\/[^/]+(\/[^/]+){0,2})|v1\/(models|chat\/completions|ocr|audio\/(transcriptions|speech)|images\/generations)|health)$/;

/**
 * Opens a browser in which every sign of a text that became more than text fails the test: `xss()` called, a dialog, a policy
 * violation, a request beyond the routes of the app (`visit` sees those to other hosts).
 */
export async function visitWatched(t: TestContext, origin: string): Promise<Visitor> {
  const signs: string[] = [];
  const visitor = await visit(t, origin, null);
  const { context } = visitor;
  await context.exposeFunction('xss', () => void signs.push('xss() was called'));
  await context.exposeFunction('noteViolation', (text: string) => void signs.push(text));
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      const note: unknown = Reflect.get(window, 'noteViolation');
      if (typeof note === 'function') note(`violation of ${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  context.on('dialog', (dialog) => {
    signs.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    const isOwn = url.protocol === 'data:' || url.protocol === 'blob:' || OWN_ROUTES.test(url.pathname);
    if (!isOwn) signs.push(`request: ${url.href}`);
  });
  t.after(() => assert.deepEqual(signs, []));
  return visitor;
}

/** Elements and attributes that no page of the app makes, and links that lead to a script. */
export function findStrangers(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const strange =
      'iframe, frame, object, embed, base, style, script:not([src]), [style*="url"], math:not(.md-math > math), [srcdoc]';
    const found = [...document.querySelectorAll(strange)];
    for (const element of document.querySelectorAll('*')) {
      const isHandled = element.getAttributeNames().some((name) => name.startsWith('on'));
      const isScript = ['href', 'src', 'action', 'formaction'].some((name) => {
        const address = element.getAttribute(name);
        if (address === null || !URL.canParse(address, document.baseURI)) return false;
        const { protocol } = new URL(address, document.baseURI);
        return (
          !['http:', 'https:', 'mailto:', 'blob:'].includes(protocol) && !address.startsWith('data:image/')
        );
      });
      if (isHandled || isScript) found.push(element);
    }
    return found.map((element) => element.outerHTML.slice(0, 200));
  });
}

/** Fails where a text has become more than text, or is not shown at all. The page may still be drawing. */
export async function expectText(page: Page, texts: readonly string[], place: string): Promise<void> {
  const areShown = (wanted: readonly string[]): boolean => {
    const fields = [...document.querySelectorAll<HTMLInputElement>('input, textarea')];
    const shown = [document.body.textContent, ...fields.map(({ value }) => value)].join('\n');
    return wanted.every((text) => shown.includes(text));
  };
  await page
    .waitForFunction(areShown, texts)
    .catch(() => assert.fail(`${place} does not show ${JSON.stringify(texts)}`));
  assert.deepEqual(await findStrangers(page), [], place);
}
