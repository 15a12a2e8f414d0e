import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRandom } from '../../helpers/fuzz-random.ts';
import { makeFolder } from '../../store/fixture.ts';
import { mixedCalls } from './calls.ts';
import { bookAll, openAt, totalsOf } from './fixture.ts';

const LONG = process.env['IPIN_LONG'] === '1';
const FROM_MS = Date.parse('2026-02-27T00:00:00Z');
const TO_MS = Date.parse('2026-03-02T06:00:00Z');
const CALLS = mixedCalls(400, FROM_MS, TO_MS);
const PLACES = LONG ? 2_000 : 12;

/** A folder with sealed days, two months, an open day and names. */
async function makeSound(): Promise<string> {
  const folder = makeFolder();
  const clock = { nowMs: FROM_MS };
  const ledger = await openAt(folder, clock);
  bookAll(ledger, CALLS, clock);
  await ledger.close();
  return folder;
}

/** The most requests that one combination of dimensions has in one file. */
function largestLoss(): number {
  const byLine = new Map<string, number>();
  for (const call of CALLS) {
    const { keyId, userId, modelId, providerId, upstreamModel, endpoint, outcome } = call;
    const day = new Date(call.endedAtMs).toISOString().slice(0, 10);
    const names = [keyId, userId, modelId, providerId, upstreamModel, endpoint, outcome];
    for (const time of [day, day.slice(0, 7)]) {
      const key = JSON.stringify([time, ...names]);
      byLine.set(key, (byLine.get(key) ?? 0) + 1);
    }
  }
  return Math.max(...byLine.values());
}

test('a damaged byte anywhere in any file: the ledger opens, tells it, and has all the rest', async (t) => {
  const sound = await makeSound();
  const names = readdirSync(sound).sort();
  assert.deepEqual(names, [
    'days-2026-02',
    'days-2026-03',
    'hours-2026-02-27.sealed',
    'hours-2026-02-28.sealed',
    'hours-2026-03-01.sealed',
    'hours-2026-03-02.open',
    'names',
  ]);
  const random = createRandom(7);
  const most = largestLoss();
  let losses = 0;
  for (const name of names) {
    const bytes = readFileSync(join(sound, name));
    for (let round = 0; round < PLACES; round++) {
      const folder = makeFolder();
      cpSync(sound, folder, { recursive: true });
      const place = random.int(bytes.length);
      const harmed = Buffer.from(bytes);
      harmed[place] = (harmed[place] ?? 0) ^ (1 + random.int(255));
      writeFileSync(join(folder, name), harmed);
      const cell = `${name}, byte ${place}`;
      const ledger = await openAt(folder, { nowMs: TO_MS });
      assert.equal(ledger.status().isDamaged, true, cell);
      for (const bucket of ['none', 'hour'] as const) {
        const { requests } = await totalsOf(ledger, { bucket });
        assert.ok(requests <= CALLS.length && requests >= CALLS.length - most, `${cell}: ${requests}`);
        losses += CALLS.length - requests;
      }
      await ledger.close();
      assert.ok(readdirSync(folder).includes(`${name}.damaged`), cell);
      const again = await openAt(folder, { nowMs: TO_MS });
      assert.equal(again.status().isDamaged, true, `${cell}, a second time`);
      await again.close();
    }
  }
  assert.ok(losses > 0, 'no damage did any harm');
  t.diagnostic(`${names.length * PLACES} damaged bytes`);
});

test('files full of rubbish, or lines of another kind, stop nothing', async () => {
  const folder = await makeSound();
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'rubbish\n\u0000\n');
  const ledger = await openAt(folder, { nowMs: TO_MS });
  assert.equal(ledger.status().isDamaged, true);
  assert.equal((await totalsOf(ledger)).requests, 0);
  bookAll(ledger, CALLS.slice(-10), { nowMs: TO_MS });
  await ledger.close();
  const again = await openAt(folder, { nowMs: TO_MS });
  assert.equal((await totalsOf(again)).requests, 10);
  await again.close();
});
