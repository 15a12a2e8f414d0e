import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from './registry.ts';

/** A sample ten times a second costs nothing that can be measured, and finds every delay that a client would notice. */
const RESOLUTION_MS = 100;
const NANOSECONDS_PER_SECOND = 1e9;

/**
 * Registers the memory of the process and the delay of its event loop. The delay is that since the last scrape.
 * @returns the function that ends the measurement
 */
export function startProcessMetrics(registry: Registry): () => void {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  registerMemory(registry);
  registerDelay(registry, 'mean', () => loop.mean);
  registerDelay(registry, 'p99', () => loop.percentile(99));
  registerDelay(registry, 'max', () => {
    const { max } = loop;
    // The last of the three: the next scrape begins anew. Samples are missing for the first 200 ms after a scrape.
    loop.reset();
    return max;
  });
  return () => loop.disable();
}

const MEMORY = [
  ['process_resident_memory_bytes', 'Resident memory of the process.', 'rss'],
  ['nodejs_heap_size_total_bytes', 'Memory that V8 has reserved for objects.', 'heapTotal'],
  ['nodejs_heap_size_used_bytes', 'Memory that objects use.', 'heapUsed'],
  ['nodejs_external_memory_bytes', 'Memory of buffers and other objects outside of the heap.', 'external'],
] as const;

function registerMemory(registry: Registry): void {
  for (const [name, help, kind] of MEMORY) {
    registry.register({
      name,
      type: 'gauge',
      help,
      read: () => [{ value: process.memoryUsage()[kind] }],
    });
  }
}

function registerDelay(registry: Registry, kind: string, readNs: () => number): void {
  registry.register({
    name: `nodejs_eventloop_lag_${kind}_seconds`,
    type: 'gauge',
    help: `Delay of the event loop since the last scrape, ${kind}.`,
    read: () => [{ value: toDelaySeconds(readNs()) }],
  });
}

/** The monitor counts the time between two samples, which is the resolution without any delay. NaN: no sample yet. */
function toDelaySeconds(sampleNs: number): number {
  const seconds = sampleNs / NANOSECONDS_PER_SECOND - RESOLUTION_MS / 1000;
  return Number.isNaN(seconds) ? 0 : Math.max(0, seconds);
}
