import type { Measurement, Row } from '../measurement.ts';
import { bodyFile, chatBody, compareCosts, cpuRow, onStage } from '../stage.ts';

/** Streams as servers send them: the ways differ in how much comes in one read. */
export const STREAM_CASES = [
  { what: 'as fast as they go', events: 1000, intervalMs: 0, connections: 4 },
  { what: 'one every 5 ms', events: 100, intervalMs: 5, connections: 32 },
] as const;

/** CPU per event of a streamed chat completion: relayed unchanged, and with the model's name replaced in every event. */
export const measurement: Measurement = {
  name: 'stream',
  title: 'Streamed chat completions (SSE)',
  async measure(run) {
    const rows: Row[] = [];
    for (const { what, events, intervalMs, connections } of STREAM_CASES) {
      const upstreamEnv = { EVENTS: String(events), INTERVAL_MS: String(intervalMs) };
      await onStage(run, { upstream: 'upstream-sse', upstreamEnv }, async (stage) => {
        const shapeOf = (model: string) => ({
          bodyPath: bodyFile(run, `stream-${model}.json`, chatBody(model, true)),
          connections,
          seconds: run.pick(6, 2),
        });
        const bare = shapeOf('bench-model');
        const plain = await compareCosts(run, stage, { bare, proxy: bare });
        rows.push(cpuRow(`CPU per event, ${what}`, plain, events));
        const renamed = await compareCosts(run, stage, { bare, proxy: shapeOf('bench-alias') });
        rows.push(cpuRow(`CPU per event, ${what}, model renamed`, renamed, events));
      });
    }
    return rows;
  },
};
