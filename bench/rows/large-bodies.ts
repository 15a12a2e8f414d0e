import { hardBodies, transcriptionForm } from '../bodies.ts';
import type { Measurement, Row, Run } from '../measurement.ts';
import { bodyFile, compareCosts, cpuRow, onStage } from '../stage.ts';

const MICROS_PER_MS = 1000;
const MIB = 1024 * 1024;

/** CPU time of one large or awkward request, from its arrival to the end of its answer. */
export const measurement: Measurement = {
  name: 'large-bodies',
  title: 'CPU per large or awkward request, one at a time',
  measure: (run) =>
    onStage(run, {}, async ({ headers, bare, proxy }) => {
      const rows: Row[] = [];
      for (const { what, path, body, contentType } of largeRequests(run)) {
        const bodyPath = bodyFile(run, 'large.bin', body);
        const target = { headers: { ...headers, 'content-type': contentType }, path, bodyPath };
        const turns = { connections: 1, requests: 1, turns: run.pick(10, 2) };
        const costs = await compareCosts(run, turns, {
          bare: { ...target, server: bare },
          proxy: { ...target, server: proxy },
        });
        rows.push({ ...cpuRow(what, costs, MICROS_PER_MS), unit: 'ms' });
      }
      return rows;
    }),
};

interface LargeRequest {
  readonly what: string;
  readonly path: string;
  readonly body: Buffer;
  readonly contentType: string;
}

function largeRequests(run: Run): LargeRequest[] {
  const json = [...hardBodies(run.isQuick)].map(([what, body]) => ({
    what,
    path: what.startsWith('embeddings') ? '/v1/embeddings' : '/v1/chat/completions',
    body,
    contentType: 'application/json',
  }));
  const fileBytes = run.pick(25 * MIB, MIB);
  const form = transcriptionForm({ fileBytes, model: 'bench-model', modelFirst: true });
  return [...json, { what: 'transcription of 25 MiB', path: '/v1/audio/transcriptions', ...form }];
}
