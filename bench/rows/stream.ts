import type { Measurement, Row } from '../measurement.ts';
import { bodyFile, type Cost, chatBody, compareCosts, cpuRow, onStage } from '../stage.ts';

/** Streams as servers send them: the ways differ in how much comes in one read. */
export const STREAM_CASES = [
  { what: 'as fast as they go', events: 1000, intervalMs: 0, connections: 4, requests: 16, turns: 20 },
  { what: 'one every 5 ms', events: 100, intervalMs: 5, connections: 32, requests: 32, turns: 8 },
] as const;

/** As in a classroom: many people read at once, at the speed of a large model. */
const CASES = [
  ...STREAM_CASES,
  { what: 'one every 20 ms', events: 50, intervalMs: 20, connections: 200, requests: 200, turns: 4 },
];

/** CPU per event of a streamed chat completion: relayed unchanged, and with the model's name replaced in every event. */
export const measurement: Measurement = {
  name: 'stream',
  title: 'Streamed chat completions (SSE)',
  async measure(run) {
    const rows: Row[] = [];
    for (const { what, events, intervalMs, ...shape } of CASES) {
      const upstreamEnv = { EVENTS: String(events), INTERVAL_MS: String(intervalMs) };
      await onStage(run, { upstream: 'upstream-sse', upstreamEnv }, async ({ headers, bare, proxy }) => {
        const bodiesOf = (model: string) => ({
          bodyPath: bodyFile(run, `stream-${model}.json`, chatBody(model, true)),
          warmUpBodyPath: bodyFile(run, `short-stream-${model}.json`, chatBody(model, true, 1)),
        });
        const turns = { ...shape, turns: run.pick(shape.turns, 1) };
        const costs = await compareCosts(run, turns, {
          bare: { server: bare, headers, ...bodiesOf('bench-model') },
          plain: { server: proxy, headers, ...bodiesOf('bench-model') },
          renamed: { server: proxy, headers, ...bodiesOf('bench-alias') },
        });
        const row = (name: string, ours: Cost[]) => cpuRow(name, { bare: costs.bare, proxy: ours }, events);
        rows.push(row(`CPU per event, ${what}`, costs.plain));
        rows.push(row(`CPU per event, ${what}, model renamed`, costs.renamed));
      });
    }
    return rows;
  },
};
