import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startUpstream } from '../helpers/fake-upstream.ts';
import { startApp } from '../helpers/start-app.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const CHUNK = Buffer.alloc(1_000_000, 'x');
const CHUNKS = 20;
const CONTENT = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n';

/** A translation parses the request, so its texts are on the heap. */
function heldBytes(): number {
  collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

describe('a translated request', { timeout: 60_000 }, () => {
  for (const [path, start, end] of [
    ['responses', '{"model":"m","stream":true,"input":"', '"}'],
    ['messages', '{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"', '"}]}'],
  ] as const) {
    test(`is freed while its answer streams: ${path}`, async (t) => {
      const upstream = await startUpstream(
        t,
        (req, res) => {
          req.resume();
          res.writeHead(200, { 'content-type': 'text/event-stream' }).write(CONTENT);
        },
        { readBodies: false },
      );
      const app = await startApp(t);
      const options = { responses: 'translate', messages: 'translate' } as const;
      await app.addProvider({ id: 'up', baseUrl: upstream.origin, options }, [{ id: 'm' }]);
      const before = heldBytes();
      const asking = request(`${app.origin}/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app.config.masterApiKey}`, 'content-type': 'application/json' },
      });
      const answered: Promise<[IncomingMessage]> = once(asking, 'response') as Promise<[IncomingMessage]>;
      asking.write(start);
      for (let count = 0; count < CHUNKS; count++) {
        await new Promise((resolve) => asking.write(CHUNK, resolve));
      }
      asking.end(end);
      const [answer] = await answered;
      assert.equal(answer.statusCode, 200);
      await once(answer, 'data');
      // The first call also loads what stays.
      while (heldBytes() > before + CHUNKS * 400_000) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(app.services.budget.usedBytes, 0);
      answer.on('error', () => {});
      asking.on('error', () => {}).destroy();
    });
  }
});
