import { compilePatterns } from '../../src/json/patterns.ts';
import { scanJson } from '../../src/json/scan.ts';
import { hardBodies } from '../bodies.ts';
import { interleave, type Measurement, type Row, sampleOf } from '../measurement.ts';

const PATTERNS = [
  'model',
  'stream',
  'stream_options',
  'messages.*.content.*.type',
  'messages.*.content.*.image_url.url',
  'input.*.content.*.image_url',
];

/** The time to scan the bytes of a body, compared with `JSON.parse`, in this process. */
export const measurement: Measurement = {
  name: 'json-scan',
  title: 'Reading JSON bodies',
  columns: ['JSON.parse', 'scan'],
  async measure(run) {
    const patterns = compilePatterns(PATTERNS);
    const rows: Row[] = [];
    for (const [what, body] of hardBodies(run.isQuick)) {
      const tasks = {
        parse: () => timeOf(() => JSON.parse(body.toString())),
        scan: () => timeOf(() => scanJson(body, patterns)),
      };
      await interleave(1, tasks);
      const times = await interleave(run.rounds, tasks);
      rows.push({ what, unit: 'ms', bare: sampleOf(times.parse), proxy: sampleOf(times.scan) });
    }
    return rows;
  },
};

async function timeOf(work: () => unknown): Promise<number> {
  const started = performance.now();
  work();
  return performance.now() - started;
}
