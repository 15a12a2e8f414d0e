import type { TestContext } from 'node:test';
import { serveModulePage } from './module-page.ts';

/** Serves a page with one chart of each kind; answers its origin. */
export function serveChartsPage(t: TestContext): Promise<string> {
  return serveModulePage(t, {
    title: 'Charts',
    styles: ['/page.css', '/charts.css'],
    script: '/page.js',
    own: { '/page.css': 'charts-page.css', '/page.js': 'charts-page.js' },
  });
}
