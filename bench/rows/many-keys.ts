import { type Measurement, type Row, sampleOf } from '../measurement.ts';
import { bodyFile, chatBody, compareCosts, onStage, type Stage } from '../stage.ts';

const CONNECTIONS = 16;

/** The proxy with many API keys and models, compared with the proxy with few. */
export const measurement: Measurement = {
  name: 'many-keys',
  title: 'Many API keys and models',
  columns: ['10 keys, 10 models', '10,000 keys, 1,000 models'],
  async measure(run) {
    const bodyPath = bodyFile(run, 'chat.json', chatBody('bench-model', false));
    const turns = { connections: CONNECTIONS, requests: 500, turns: run.pick(40, 2) };
    const many = { keys: run.pick(10_000, 300), models: run.pick(1000, 50) };
    return onStage(run, { keys: 10, models: 10 }, (few) =>
      onStage(run, many, async (lots) => {
        const idle = { few: few.proxy.memory().rssMib, many: lots.proxy.memory().rssMib };
        const target = ({ proxy: server, headers }: Stage) => ({ server, headers, bodyPath });
        const costs = await compareCosts(run, turns, { few: target(few), many: target(lots) });
        const row = (what: string, unit: Row['unit'], values: { few: number[]; many: number[] }): Row => {
          return { what, unit, bare: sampleOf(values.few), proxy: sampleOf(values.many) };
        };
        const cpuOf = (list: typeof costs.few) => list.map((each) => each.cpuMicrosPerResponse);
        return [
          row('CPU per request', 'µs', { few: cpuOf(costs.few), many: cpuOf(costs.many) }),
          row('Start to first answer', 'ms', { few: [few.proxy.startMs], many: [lots.proxy.startMs] }),
          row('Memory, idle', 'MiB', { few: [idle.few], many: [idle.many] }),
        ];
      }),
    );
  },
};
