import { interleave, type Measurement, type Row } from '../measurement.ts';
import {
  bodyFile,
  chatBody,
  costOf,
  cpuRow,
  type LoadShape,
  messagesBody,
  onStage,
  responsesBody,
} from '../stage.ts';
import { STREAM_CASES } from './stream.ts';

/** What it costs to translate a stream of chat chunks into the events of another protocol, beside passing it on. */
export const measurement: Measurement = {
  name: 'translation',
  title: 'Translated streams of a provider that has chat completions alone',
  columns: ['chat', 'translated'],
  async measure(run) {
    const rows: Row[] = [];
    for (const { what, events, intervalMs, connections } of STREAM_CASES) {
      const upstreamEnv = { EVENTS: String(events), INTERVAL_MS: String(intervalMs) };
      await onStage(run, { upstream: 'upstream-sse', upstreamEnv }, async (stage) => {
        const cost = (path: string, body: string) => {
          const bodyPath = bodyFile(run, `${path.replaceAll('/', '-')}.json`, body);
          const shape: LoadShape = { path, bodyPath, connections, seconds: run.pick(6, 2) };
          return () => costOf(stage.proxy, stage, shape);
        };
        const tasks = {
          chat: cost('/v1/chat/completions', chatBody('bench-model', true)),
          messages: cost('/v1/messages', messagesBody('bench-model')),
          responses: cost('/v1/responses', responsesBody('bench-model')),
        };
        await interleave(1, tasks);
        const { chat, messages, responses } = await interleave(run.rounds, tasks);
        rows.push(cpuRow(`CPU per event, ${what}, /v1/messages`, { bare: chat, proxy: messages }, events));
        rows.push(cpuRow(`CPU per event, ${what}, /v1/responses`, { bare: chat, proxy: responses }, events));
      });
    }
    return rows;
  },
};
