import { join } from 'node:path';
import { interleave, type Measurement, type Row, sampleOf } from '../measurement.ts';
import type { Subject } from '../processes.ts';
import { startProxy, startServer } from '../proxy-setup.ts';
import { onStage } from '../stage.ts';

const SETTLE_MS = 1000;

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
  readonly rssMib: number;
}

/** Time from the start of the process to its first answer, with an existing database; memory one second later. */
export const measurement: Measurement = {
  name: 'start-up',
  title: 'Start-up and idle memory',
  async measure(run) {
    const dbPath = await onStage(run, {}, async (stage) => stage.dbPath);
    const logPath = join(run.folder, 'servers.log');
    const starts = await interleave(run.pick(10, 2), {
      bare: () => startOf(startServer('bare-proxy', { env: { UPSTREAM_PORT: '1' }, logPath })),
      proxy: () => startOf(startProxy({ dbPath, logLevel: 'info' })),
    });
    const row = (what: string, unit: Row['unit'], field: keyof Start): Row => {
      const sample = (list: Start[]) => sampleOf(list.map((start) => start[field]));
      return { what, unit, bare: sample(starts.bare), proxy: sample(starts.proxy) };
    };
    return [
      row('Start to first answer', 'ms', 'ms'),
      row('CPU until then', 'ms', 'cpuMs'),
      row('Memory, idle', 'MiB', 'rssMib'),
    ];
  },
};

async function startOf(starting: Promise<Subject>): Promise<Start> {
  const subject = await starting;
  const cpuMs = subject.cpuMicros() / 1000;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const { rssMib } = subject.memory();
  await subject.stop();
  return { ms: subject.startMs, cpuMs, rssMib };
}
