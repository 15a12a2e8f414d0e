import type { TestContext } from 'node:test';
import { serveModulePage } from './module-page.ts';

/** Serves a page with an empty place for answers and a tray for files; answers its origin. */
export function serveRenderPage(t: TestContext): Promise<string> {
  return serveModulePage(t, {
    title: 'Answers',
    name: 'render',
    styles: ['/app.css', '/panel.css', '/chat-render.css'],
  });
}
