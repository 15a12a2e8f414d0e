// Loaded before the proxy where its event loop is watched: on SIGUSR2 it writes how long the loop stood still at most since the
// last time, in milliseconds, to LOOP_DELAY_PATH.
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const NANOS_PER_MS = 1e6;
const path = process.env['LOOP_DELAY_PATH'] ?? '';
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('SIGUSR2', () => {
  writeFileSync(`${path}.new`, String(delay.max / NANOS_PER_MS));
  renameSync(`${path}.new`, path);
  delay.reset();
});
