import { imageBody, transcriptionForm } from '../bodies.ts';
import { type ClosedResult, runTogether } from '../load/load.ts';
import { type Measurement, type Row, type Run, sampleOf } from '../measurement.ts';
import { limitMemory } from '../memory-limit.ts';
import { bodyFile, onStage } from '../stage.ts';

const MIB = 1024 * 1024;
const MEMORY_LIMIT_BYTES = 512 * MIB;

/**
 * Peak memory of large requests that arrive together, over the memory of an idle server. The upstream reads 10 MiB per
 * second on each connection. The server has a limit of 512 MiB if the machine allows it.
 */
export const measurement: Measurement = {
  name: 'uploads',
  title: 'Large requests together, before a slow upstream',
  async measure(run) {
    const rows: Row[] = [];
    for (const load of loads(run)) rows.push(...(await measureLoad(run, load)));
    return rows;
  },
};

interface Load {
  readonly what: string;
  readonly path: string;
  readonly body: Buffer;
  readonly contentType: string;
  readonly connections: number;
}

function loads(run: Run): Load[] {
  const size = run.pick(MIB, MIB / 8);
  const form = (what: string, model: string, modelFirst: boolean): Load => ({
    what: `8 transcriptions of 25 MiB, ${what}`,
    path: '/v1/audio/transcriptions',
    ...transcriptionForm({ fileBytes: 25 * size, model, modelFirst }),
    connections: 8,
  });
  return [
    form('model first', 'bench-model', true),
    form('model last', 'bench-model', false),
    form('Chutes', 'bench-chute', true),
    {
      what: 'a chat with an image of 20 MiB',
      path: '/v1/chat/completions',
      body: imageBody(20 * size),
      contentType: 'application/json',
      connections: 1,
    },
  ];
}

function measureLoad(run: Run, load: Load): Promise<Row[]> {
  const upstreamEnv = { BYTES_PER_SECOND: String(10 * MIB) };
  return onStage(run, { upstreamEnv, watchesLoop: true }, async (stage) => {
    const isLimited = limitMemory(stage.proxy.pid, MEMORY_LIMIT_BYTES);
    const bodyPath = bodyFile(run, 'upload.bin', load.body);
    const headers = { ...stage.headers, 'content-type': load.contentType };
    const { connections } = load;
    const grow = async ({ port, memory }: typeof stage.proxy): Promise<[number, ClosedResult]> => {
      const idleMib = memory().rssMib;
      const url = `http://127.0.0.1:${port}${load.path}`;
      const result = await runTogether({
        url,
        headers,
        bodyPath,
        connections,
        requests: connections * 2,
      });
      return [memory().peakMib - idleMib, result];
    };
    const [bareMib] = await grow(stage.bare);
    await stage.longestStallMs();
    const [proxyMib, result] = await grow(stage.proxy);
    const stallMs = await stage.longestStallMs();
    refuseFailures(load, result);
    const one = (value: number) => sampleOf([value]);
    const row = (what: string, unit: Row['unit'], value: number): Row => {
      return { what: `${load.what}: ${what}`, unit, bare: null, proxy: one(value) };
    };
    const limit = isLimited ? ', of 512 MiB' : '';
    return [
      { ...row(`memory over idle${limit}`, 'MiB', proxyMib), bare: one(bareMib) },
      row('served', 'count', result.responses),
      row('refused with 503', 'count', result.others),
      row('longest stall', 'ms', stallMs),
    ];
  });
}

/** @throws Error for failures other than 503. */
function refuseFailures(load: Load, { responses, others, statuses }: ClosedResult): void {
  const counts: Record<string, { count: number }> = JSON.parse(statuses);
  if (responses > 0 && others === (counts['503']?.count ?? 0)) return;
  throw new Error(`${load.what}: ${others} of ${responses + others} requests failed (${statuses})`);
}
