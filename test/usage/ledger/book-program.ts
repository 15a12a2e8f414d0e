import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { openLedger } from '../../../src/usage/ledger/open-ledger.ts';
import { makeCall } from './calls.ts';
import { silentLogger } from './fixture.ts';

// Books calls endlessly and reports each with its time: PROGRAM FOLDER. Lines are written synchronously, so that they survive a
// SIGKILL.

const [folder = ''] = process.argv.slice(2);
const ledger = await openLedger({ folder, logger: silentLogger, now: Date.now });
for (let count = 1; ; count++) {
  ledger.book(makeCall({ endedAtMs: Date.now(), keyId: `key_${count % 20}` }));
  writeSync(1, `${Date.now()}\n`);
  await wait(5);
}
