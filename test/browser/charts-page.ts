import type { TestContext } from 'node:test';
import { serveModulePage } from './module-page.ts';

/** Serves a page with one chart of each kind, under the policy of the app's pages; answers its origin. */
export function serveChartsPage(t: TestContext): Promise<string> {
  return serveModulePage(t, {
    title: 'Charts',
    name: 'charts',
    styles: ['/app.css', '/page.css', '/charts.css'],
  });
}
