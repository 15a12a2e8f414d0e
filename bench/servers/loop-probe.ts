// Loaded before the proxy to watch its event loop. On SIGUSR2 it writes the longest stall since the last SIGUSR2, in
// milliseconds, to LOOP_DELAY_PATH.
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
