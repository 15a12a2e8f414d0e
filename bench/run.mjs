// `npm run bench`, `npm run bench -- --quick`, `npm run bench -- NAME ...`: compiles and starts the benchmark.
import { build } from './build.mjs';

await build();
await import('./results/build/bench/main.js');
