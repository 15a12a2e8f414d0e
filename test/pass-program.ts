/** Lets more bytes pass than the server lets lie. */
import { countPassed } from '../src/passed-buffers.ts';

for (let count = 0; count < 3; count++) countPassed(5 * 1024 * 1024);
