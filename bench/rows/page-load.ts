import { get } from 'node:http';
import { posix } from 'node:path';
import { type Measurement, type Row, sampleOf } from '../measurement.ts';
import { onStage } from '../stage.ts';

const PAGES = ['/', '/admin.html', '/chat.html', '/dashboard.html'];
const LINK = /(?:src|href)="([^":#?]+)"|(?:from|import)\s*\(?'([^':]+\.js)'/g;

/** What a browser fetches for a page that it sees for the first time: all files that its shell and modules name. */
export const measurement: Measurement = {
  name: 'page-load',
  title: 'Files of a page, fetched for the first time',
  measure: (run) =>
    onStage(run, {}, async ({ proxy }) => {
      const rows: Row[] = [];
      for (const page of PAGES) {
        const found = new Set([page]);
        let bytes = 0;
        const started = performance.now();
        for (const path of found) {
          bytes += (await fetchFile(proxy.port, path, { 'accept-encoding': 'gzip' })).length;
          if (!/\.(js|html)$|\/$/.test(path)) continue;
          const text = (await fetchFile(proxy.port, path, {})).toString();
          for (const [, link, module] of text.matchAll(LINK)) {
            const next = posix.resolve(posix.dirname(path), link ?? module ?? '');
            if (!next.endsWith('.html')) found.add(next);
          }
        }
        const ms = performance.now() - started;
        const one = (value: number) => sampleOf([value]);
        rows.push({ what: `${page}: files`, unit: 'count', bare: null, proxy: one(found.size) });
        rows.push({ what: `${page}: bytes, compressed`, unit: 'KiB', bare: null, proxy: one(bytes / 1024) });
        rows.push({
          what: `${page}: time, one by one and twice each`,
          unit: 'ms',
          bare: null,
          proxy: one(ms),
        });
      }
      return rows;
    }),
};

function fetchFile(port: number, path: string, headers: Record<string, string>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`GET ${path}: ${response.statusCode}`));
      });
    });
    request.on('error', reject);
  });
}
