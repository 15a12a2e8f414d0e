import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../bundle.js';

/** Compiles the server and the benchmark, so that both sides of each ratio are plain JavaScript. */
export async function build() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  rmSync(join(root, 'bench/results/build'), { recursive: true, force: true });
  await bundle();
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'bench'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
