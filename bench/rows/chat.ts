import { type Measurement, type Row, sampleOf } from '../measurement.ts';
import { bodyFile, chatBody, compareCosts, cpuRow, onStage } from '../stage.ts';

const CONNECTIONS = 16;

/** Chat completions without streaming: CPU and rate per log level, and for a model with a different upstream name. */
export const measurement: Measurement = {
  name: 'chat',
  title: `Chat completions, ${CONNECTIONS} connections in a closed loop`,
  async measure(run) {
    const rows: Row[] = [];
    const shapeOf = (model: string) => ({
      bodyPath: bodyFile(run, `${model}.json`, chatBody(model, false)),
      connections: CONNECTIONS,
      seconds: run.pick(6, 1),
    });
    const plain = shapeOf('bench-model');
    const cases = [
      { what: 'log at info', logLevel: 'info', shape: plain },
      { what: 'log at warn', logLevel: 'warn', shape: plain },
      { what: 'log at info, model renamed', logLevel: 'info', shape: shapeOf('bench-alias') },
    ] as const;
    for (const { what, logLevel, shape } of cases) {
      await onStage(run, { logLevel }, async (stage) => {
        const costs = await compareCosts(run, stage, { bare: plain, proxy: shape });
        const rate = (list: readonly { perSecond: number }[]) => sampleOf(list.map((cost) => cost.perSecond));
        rows.push(cpuRow(`CPU per request, ${what}`, costs));
        rows.push({
          what: `Requests, ${what}`,
          unit: '1/s',
          bare: rate(costs.bare),
          proxy: rate(costs.proxy),
        });
      });
    }
    return rows;
  },
};
