import { runPaced } from '../load/load.ts';
import { interleave, type Measurement, sampleOf } from '../measurement.ts';
import type { Subject } from '../processes.ts';
import { bodyFile, chatBody, onStage, warmUp } from '../stage.ts';

const PER_SECOND = 200;

/** The latency that a relay adds to a chat completion, compared with a request sent directly to the upstream. */
export const measurement: Measurement = {
  name: 'latency',
  title: `Added latency, ${PER_SECOND} chat completions per second`,
  measure: (run) =>
    onStage(run, {}, async (stage) => {
      const bodyPath = bodyFile(run, 'chat.json', chatBody('bench-model', false));
      const { headers, bare, proxy } = stage;
      const urlOf = ({ port }: Subject) => `http://127.0.0.1:${port}/v1/chat/completions`;
      const load = (server: Subject) => {
        const perSecond = PER_SECOND;
        return runPaced({ url: urlOf(server), headers, bodyPath, perSecond, seconds: run.pick(10, 1) });
      };
      const tasks = {
        direct: () => load(stage.upstream),
        bare: () => load(bare),
        proxy: () => load(proxy),
      };
      await warmUp(
        run,
        [bare, proxy].map((server) => ({ url: urlOf(server), headers, bodyPath, pid: server.pid })),
      );
      await interleave(1, tasks);
      const results = await interleave(run.rounds, tasks);
      return (['p50Ms', 'p99Ms'] as const).map((field) => {
        const direct = sampleOf(results.direct.map((result) => result[field])).median;
        const added = (list: typeof results.bare) => sampleOf(list.map((result) => result[field] - direct));
        const what = `Added latency, ${field === 'p50Ms' ? 'p50' : 'p99'}`;
        return { what, unit: 'ms' as const, bare: added(results.bare), proxy: added(results.proxy) };
      });
    }),
};
