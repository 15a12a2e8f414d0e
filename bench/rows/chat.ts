import type { Measurement, Row } from '../measurement.ts';
import { bodyFile, chatBody, compareCosts, cpuRow, onStage } from '../stage.ts';

const CONNECTIONS = 16;

/** Chat completions without streaming: CPU per log level, and for a model with a different upstream name. */
export const measurement: Measurement = {
  name: 'chat',
  title: `Chat completions, ${CONNECTIONS} connections in a closed loop`,
  async measure(run) {
    const rows: Row[] = [];
    const bodyOf = (model: string) => bodyFile(run, `${model}.json`, chatBody(model, false));
    const plain = bodyOf('bench-model');
    const cases = [
      { what: 'log at info', logLevel: 'info', bodyPath: plain },
      { what: 'log at warn', logLevel: 'warn', bodyPath: plain },
      { what: 'log at info, model renamed', logLevel: 'info', bodyPath: bodyOf('bench-alias') },
    ] as const;
    const turns = { connections: CONNECTIONS, requests: 500, turns: run.pick(40, 2) };
    for (const { what, logLevel, bodyPath } of cases) {
      await onStage(run, { logLevel }, async ({ headers, bare, proxy }) => {
        const costs = await compareCosts(run, turns, {
          bare: { server: bare, headers, bodyPath: plain },
          proxy: { server: proxy, headers, bodyPath },
        });
        rows.push(cpuRow(`CPU per request, ${what}`, costs));
      });
    }
    return rows;
  },
};
