import { type Measurement, type Row, sampleOf } from '../measurement.ts';
import {
  bodyFile,
  type Cost,
  chatBody,
  compareCosts,
  cpuRow,
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
    for (const { what, events, intervalMs, ...shape } of STREAM_CASES) {
      const upstreamEnv = { EVENTS: String(events), INTERVAL_MS: String(intervalMs) };
      await onStage(run, { upstream: 'upstream-sse', upstreamEnv }, async ({ headers, proxy }) => {
        const target = (path: string, body: string) => {
          const bodyPath = bodyFile(run, `${path.replaceAll('/', '-')}.json`, body);
          return { server: proxy, headers, path, bodyPath };
        };
        const turns = { ...shape, turns: run.pick(shape.turns, 1) };
        const { chat, ...translated } = await compareCosts(run, turns, {
          chat: target('/v1/chat/completions', chatBody('bench-model', true)),
          '/v1/messages': target('/v1/messages', messagesBody('bench-model')),
          '/v1/responses': target('/v1/responses', responsesBody('bench-model')),
        });
        for (const [path, costs] of Object.entries(translated)) {
          rows.push(cpuRow(`CPU per event, ${what}, ${path}`, { bare: chat, proxy: costs }, events));
          rows.push(addedRow(`Added per event, ${what}, ${path}`, chat, costs, events));
        }
      });
    }
    return rows;
  },
};

/** By how much an event costs more, taken within each round. */
function addedRow(what: string, chat: readonly Cost[], translated: readonly Cost[], events: number): Row {
  const added = translated.map(({ cpuMicrosPerResponse }, round) => {
    return (cpuMicrosPerResponse - (chat[round]?.cpuMicrosPerResponse ?? 0)) / events;
  });
  return { what, unit: 'µs', bare: null, proxy: sampleOf(added) };
}
