import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { countPassed } from '../src/passed-buffers.ts';

const MIB = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/** The most memory in buffers while so many pieces pass, one after the other, over what it was before. */
async function mostHeldBytes(pieces: number, onPiece: (bytes: number) => void): Promise<number> {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let piece = 0; piece < pieces; piece++) {
    onPiece(Buffer.allocUnsafeSlow(PIECE_BYTES).length);
    if (piece % 16 > 0) continue;
    await setImmediate();
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  return most;
}

describe('the buffers of a body that has passed', () => {
  test('are freed when there are a few megabytes of them', async () => {
    assert.ok(
      (await mostHeldBytes(3_200, countPassed)) < 16 * MIB,
      'V8 alone lets them lie until there are 45',
    );
  });
});
