import { readdirSync, readlinkSync } from 'node:fs';
import type { Subject } from '../processes.ts';
import type { Admin } from '../proxy-setup.ts';

/** What the server holds at one moment. */
export interface Sample {
  /** Minutes since the traffic began. */
  readonly minute: number;
  readonly rssMib: number;
  readonly openFiles: number;
  /** Requests, without the one that asks for this figure. */
  readonly running: number;
  readonly upstream: number;
  readonly heldBytes: number;
}

/** Takes a sample. `startedMs` is a time of `performance.now()`. */
export async function takeSample(proxy: Subject, admin: Admin, startedMs: number): Promise<Sample> {
  const openFiles = readdirSync(`/proc/${proxy.pid}/fd`).length;
  const text = await metricsOf(proxy, admin);
  const gauge = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  return {
    minute: (performance.now() - startedMs) / 60_000,
    rssMib: proxy.memory().rssMib,
    openFiles,
    running: gauge('ipin_running_requests') - 1,
    upstream: gauge('ipin_upstream_requests'),
    heldBytes: gauge('ipin_inflight_bytes'),
  };
}

/** The text of /metrics, over a connection that is closed afterwards. */
export async function metricsOf({ port }: Subject, { headers }: Admin): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
    headers: { ...headers, connection: 'close' },
    signal: AbortSignal.timeout(60_000),
  });
  return response.text();
}

/** The number of sockets that a process has open (proc(5)). */
export function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => isSocket(`${folder}/${name}`)).length;
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    // It was closed meanwhile.
    return false;
  }
}

/** The growth of memory after the warm-up in MiB per 10 minutes, by least squares; null: there are too few samples. */
export function growthOf(samples: readonly Sample[], warmUpMinutes: number): number | null {
  const later = samples.filter(({ minute }) => minute >= warmUpMinutes);
  if (later.length < 3) return null;
  const mean = (figureOf: (sample: Sample) => number): number =>
    later.reduce((sum, sample) => sum + figureOf(sample), 0) / later.length;
  const meanMinute = mean(({ minute }) => minute);
  const meanMib = mean(({ rssMib }) => rssMib);
  const covariance = mean(({ minute, rssMib }) => (minute - meanMinute) * (rssMib - meanMib));
  const variance = mean(({ minute }) => (minute - meanMinute) ** 2);
  return (covariance / variance) * 10;
}

export const TABLE_HEAD = `| minute | calls | memory, MiB | open files | running | upstream | held, KiB |
|---:|---:|---:|---:|---:|---:|---:|`;

/** A row of the table. */
export function tableRow(
  { minute, rssMib, openFiles, running, upstream, heldBytes }: Sample,
  calls: number,
): string {
  const heldKib = (heldBytes / 1024).toFixed(0);
  return `| ${minute.toFixed(2)} | ${calls} | ${rssMib.toFixed(1)} | ${openFiles} | ${running} | ${upstream} | ${heldKib} |`;
}
