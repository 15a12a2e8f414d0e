import { imageBody, transcriptionForm } from '../bodies.ts';
import { runClosed } from '../load/load.ts';
import { type Measurement, type Row, sampleOf } from '../measurement.ts';
import { bodyFile, onStage } from '../stage.ts';

const MIB = 1024 * 1024;

/** The most memory that large requests take when they come together, on top of an idle server's. */
export const measurement: Measurement = {
  name: 'uploads',
  title: 'Memory on top of idle, large requests together',
  async measure(run) {
    const size = run.pick(MIB, MIB / 8);
    const form = transcriptionForm(25 * size - 1);
    const cases = [
      {
        what: '8 transcriptions of 25 MiB',
        path: '/v1/audio/transcriptions',
        body: form.body,
        contentType: form.contentType,
        connections: 8,
      },
      {
        what: '2 chats with an image of 20 MiB',
        path: '/v1/chat/completions',
        body: imageBody(20 * size),
        contentType: 'application/json',
        connections: 2,
      },
    ];
    const rows: Row[] = [];
    for (const { what, path, body, contentType, connections } of cases) {
      await onStage(run, {}, async (stage) => {
        const bodyPath = bodyFile(run, 'upload.bin', body);
        const headers = { ...stage.headers, 'content-type': contentType };
        const grown = async ({ port, memory }: typeof stage.proxy): Promise<number> => {
          const idleMib = memory().rssMib;
          const url = `http://127.0.0.1:${port}${path}`;
          await runClosed({ url, headers, bodyPath, connections, requests: connections * 2 });
          return memory().peakMib - idleMib;
        };
        const bare = sampleOf([await grown(stage.bare)]);
        rows.push({ what, unit: 'MiB', bare, proxy: sampleOf([await grown(stage.proxy)]) });
      });
    }
    return rows;
  },
};
