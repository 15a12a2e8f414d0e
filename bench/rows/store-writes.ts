import { type Measurement, percentile, type Row, type Run, sampleOf } from '../measurement.ts';
import { signIn } from '../proxy-setup.ts';
import { onStage, type StageOptions } from '../stage.ts';

/** Changes of the configuration. Each is answered when it is on the disk. */
export const measurement: Measurement = {
  name: 'store-writes',
  title: 'Creating API keys through the admin API, with 200 providers and 5,000 keys',
  measure: (run) =>
    onStage(run, large(run), async ({ proxy, longestStallMs }) => {
      const admin = await signIn(proxy.port);
      const rows: Row[] = [];
      for (const writers of [1, 50]) {
        await longestStallMs();
        const timesMs: number[] = [];
        const started = performance.now();
        const write = async (): Promise<void> => {
          for (let made = 0; made < run.pick(100, 10); made++) {
            const sentMs = performance.now();
            await admin.post('apikeys', { name: `Written ${made}` });
            timesMs.push(performance.now() - sentMs);
          }
        };
        await Promise.all(Array.from({ length: writers }, write));
        const seconds = (performance.now() - started) / 1000;
        const sorted = timesMs.toSorted((a, b) => a - b);
        const what = writers === 1 ? 'one writer' : `${writers} writers`;
        const sample = (value: number) => sampleOf([value]);
        rows.push({
          what: `Writes, ${what}`,
          unit: '1/s',
          bare: null,
          proxy: sample(timesMs.length / seconds),
        });
        rows.push({ what: `p50, ${what}`, unit: 'ms', bare: null, proxy: sample(percentile(sorted, 0.5)) });
        rows.push({ what: `p99, ${what}`, unit: 'ms', bare: null, proxy: sample(percentile(sorted, 0.99)) });
        rows.push({
          what: `Longest stall, ${what}`,
          unit: 'ms',
          bare: null,
          proxy: sample(await longestStallMs()),
        });
      }
      return rows;
    }),
};

function large(run: Run): StageOptions {
  return { providers: run.pick(200, 10), keys: run.pick(5000, 50), watchesLoop: true };
}
