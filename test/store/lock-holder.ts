import { StoreStartError } from '../../src/store/document-error.ts';
import { openStore } from './fixture.ts';

// Opens the store that its argument names, says so, and keeps it open until it is killed.
try {
  await openStore(process.argv[2] ?? '');
  process.stdout.write('open\n');
  process.stdin.resume();
} catch (error) {
  if (!(error instanceof StoreStartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
