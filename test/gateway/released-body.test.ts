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

/** A translation parses the body, so its texts are on the heap. */
function heldBytes(): number {
  collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

const CHAT = '{"model":"m","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"';
const RESPONSES = '{"model":"m","stream":true,"input":[{"role":"user","content":"';

describe('the body of a request', { timeout: 60_000 }, () => {
  for (const [path, isAnnounced, start] of [
    ['chat/completions', true, CHAT],
    ['chat/completions', false, CHAT],
    ['messages', true, CHAT],
    ['responses', true, RESPONSES],
  ] as const) {
    test(`is freed while its answer streams: ${path}, with${isAnnounced ? '' : 'out'} a content length`, async (t) => {
      const upstream = await startUpstream(
        t,
        (req, res) => {
          req.resume();
          res.writeHead(200, { 'content-type': 'text/event-stream' }).write(CONTENT);
        },
        { readBodies: false },
      );
      const app = await startApp(t);
      const options = { responses: 'translate' } as const;
      await app.addProvider({ id: 'up', baseUrl: upstream.origin, options }, [{ id: 'm' }]);
      // Other files of tests may share the process.
      const before = heldBytes();
      const end = '"}]}';
      const length = start.length + CHUNKS * CHUNK.length + end.length;
      const asking = request(`${app.origin}/v1/${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${app.config.masterApiKey}`,
          'content-type': 'application/json',
          ...(isAnnounced ? { 'content-length': length } : {}),
        },
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
      // The chunk of this test stays, and little else.
      // Between two looks the rest of the request gets time to go out: a collection takes longer than a turn.
      while (heldBytes() > before + CHUNKS * 250_000) await new Promise((resolve) => setTimeout(resolve, 50));
      answer.on('error', () => {});
      asking.on('error', () => {}).destroy();
    });
  }
});
