// `npm run bench`, `npm run bench -- --quick`, `npm run bench -- NAME ...`: compiles the server and the benchmark, so that
// both sides of each ratio are plain JavaScript, and starts the benchmark.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../bundle.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');
rmSync(join(root, 'bench/results/build'), { recursive: true, force: true });
await bundle();
const { status } = spawnSync(process.execPath, [tsc, '-p', 'bench'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(1);
await import('./results/build/bench/main.js');
