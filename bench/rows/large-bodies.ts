import { hardBodies } from '../bodies.ts';
import type { Measurement, Row } from '../measurement.ts';
import { bodyFile, compareCosts, cpuRow, onStage } from '../stage.ts';

const MICROS_PER_MS = 1000;

/** CPU time of one large or awkward request, from its arrival to the end of its answer. */
export const measurement: Measurement = {
  name: 'large-bodies',
  title: 'CPU per large or awkward request, one at a time',
  measure: (run) =>
    onStage(run, {}, async ({ headers, bare, proxy }) => {
      const rows: Row[] = [];
      for (const [what, body] of hardBodies(run.isQuick)) {
        const path = what.startsWith('embeddings') ? '/v1/embeddings' : '/v1/chat/completions';
        const bodyPath = bodyFile(run, 'hard.json', body);
        const turns = { connections: 1, requests: 1, turns: run.pick(10, 2) };
        const costs = await compareCosts(run, turns, {
          bare: { server: bare, headers, path, bodyPath },
          proxy: { server: proxy, headers, path, bodyPath },
        });
        rows.push({ ...cpuRow(what, costs, MICROS_PER_MS), unit: 'ms' });
      }
      return rows;
    }),
};
