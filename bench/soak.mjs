// `npm run soak -- --minutes 30 [--seed N]`: compiles and starts the soak.
import { build } from './build.mjs';

await build();
await import('./results/build/bench/soak.js');
