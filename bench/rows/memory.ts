import { runClosed } from '../load/load.ts';
import { type Measurement, sampleOf } from '../measurement.ts';
import type { Subject } from '../processes.ts';
import { bodyFile, chatBody, onStage } from '../stage.ts';

const CONNECTIONS = 64;

/** Memory directly after many chat completions on many connections, and its peak. */
export const measurement: Measurement = {
  name: 'memory',
  title: `Memory under load, ${CONNECTIONS} connections`,
  measure: (run) =>
    onStage(run, {}, async (stage) => {
      const requests = run.pick(100_000, 2_000);
      const bodyPath = bodyFile(run, 'chat.json', chatBody('bench-model', false));
      const load = async (subject: Subject) => {
        const url = `http://127.0.0.1:${subject.port}/v1/chat/completions`;
        await runClosed({
          url,
          headers: stage.headers,
          bodyPath,
          connections: CONNECTIONS,
          requests,
        });
        return subject.memory();
      };
      const bare = await load(stage.bare);
      const proxy = await load(stage.proxy);
      return [
        {
          what: `Memory after ${requests} requests`,
          unit: 'MiB',
          bare: sampleOf([bare.rssMib]),
          proxy: sampleOf([proxy.rssMib]),
        },
        {
          what: 'Memory, highest',
          unit: 'MiB',
          bare: sampleOf([bare.peakMib]),
          proxy: sampleOf([proxy.peakMib]),
        },
      ];
    }),
};
