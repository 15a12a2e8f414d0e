import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openBody } from '../../src/http/body.ts';

const MEBIBYTE = 1024 * 1024;

/** Sends a body to a server that reads it with `read`, and gives what that found. */
async function serve<Found>(
  t: TestContext,
  body: Uint8Array<ArrayBuffer>,
  read: (chunks: AsyncIterable<Buffer>) => Promise<Found>,
): Promise<Found> {
  const found = new Promise<Found>((resolve, reject) => {
    const server = createServer((req, res) => {
      const opened = openBody({ req, res, expectsContinue: false }, body.length);
      read(opened.chunks)
        .finally(() => opened.stop())
        .then(resolve, reject)
        .finally(() => res.end());
    });
    t.after(() => server.close());
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : 0;
      fetch(`http://127.0.0.1:${port}`, { method: 'POST', body }).catch(reject);
    });
  });
  return found;
}

test('what has been read of a body is let go of while the rest arrives', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const [seen, alive] = await serve(t, new Uint8Array(16 * MEBIBYTE), async (chunks) => {
    const read: WeakRef<Buffer>[] = [];
    for await (const chunk of chunks) read.push(new WeakRef(chunk));
    // A WeakRef keeps its target to the end of the turn in which it was made.
    await nextTurn();
    collectGarbage();
    return [read.length, read.filter((chunk) => chunk.deref() !== undefined).length];
  });
  assert.ok(seen > 50, `${seen} chunks`);
  assert.ok(alive <= 2, `${alive} of ${seen} chunks are held`);
});
