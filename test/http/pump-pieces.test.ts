import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { BodyReader, BodySource } from '../../src/http/body-source.ts';
import type { AnswerEnd } from '../../src/http/body-transform.ts';
import { pump } from '../../src/http/pump.ts';
import { AnswerMeter } from '../../src/protocols/answer-meter.ts';
import { EventStream } from '../../src/protocols/event-stream.ts';

/** A body whose pieces come when the test says so. */
class ScriptedBody implements BodySource {
  reader: BodyReader | null = null;
  isPaused = false;
  isDestroyed = false;

  read(reader: BodyReader): void {
    this.reader = reader;
  }

  unread(): void {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.reader = null;
  }

  come(text: string): void {
    this.reader?.onData(Buffer.from(text));
  }
}

interface Pumped {
  readonly body: ScriptedBody;
  readonly answer: IncomingMessage;
  /** The pieces that were written, until now. */
  readonly written: string[];
  readonly end: Promise<AnswerEnd>;
  /** Lets so much time pass that the next piece comes alone. */
  readonly wait: () => void;
}

const event = (text: string): string => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`;
const FIRST = event('first');

/** An event stream whose first piece has arrived at its client. The pieces that follow come close together, unless one waits. */
async function startPump(t: TestContext): Promise<Pumped> {
  const body = new ScriptedBody();
  const written: string[] = [];
  let nowMs = 1_000;
  t.mock.method(performance, 'now', () => nowMs);
  const wait = (): void => {
    nowMs += 5;
  };
  let finish: (end: AnswerEnd) => void = () => {};
  const end = new Promise<AnswerEnd>((resolve) => {
    finish = resolve;
  });
  const server = createServer((req, res: ServerResponse) => {
    const write = res.write.bind(res);
    res.write = (piece: Buffer | string) => {
      written.push(String(piece));
      return write(piece);
    };
    const meter = new AnswerMeter('tokens');
    const transform = new EventStream({
      model: null,
      streamEnd: 'chat',
      hideUsage: false,
      secrets: [],
      meter,
    });
    const headers = ['content-type', 'text/event-stream'];
    const options = { status: 200, headers, body, transform, keepAliveMs: 0, onEnd: finish };
    void pump({ req, res, headers: [] }, options);
  });
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
  while (body.reader === null) await setImmediate();
  body.come(FIRST);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.on('error', () => {});
  while (written.length === 0) await setImmediate();
  written.length = 0;
  return { body, answer, written, end, wait };
}

describe('the pieces of a streamed answer', { timeout: 20_000 }, () => {
  test('go on at once if they come alone, and together if they come close together', async (t) => {
    const { body, written, wait } = await startPump(t);
    wait();
    body.come(event('alone'));
    assert.equal(written.length, 1);
    for (let index = 0; index < 12; index++) body.come(event(String(index)));
    assert.equal(written.length, 1);
    await setImmediate();
    assert.equal(written.length, 2);
  });

  test('keep their order, whatever comes close together', async (t) => {
    const { body, answer, wait } = await startPump(t);
    const sent = [event('a'), event('b'.repeat(16_384)), event('c'), 'data: [DONE]\n\n'];
    body.come(sent[0] ?? '');
    // A busy turn: what came before has not been written yet.
    wait();
    for (const text of sent.slice(1)) body.come(text);
    body.reader?.onEnd();
    assert.equal(Buffer.concat(await answer.toArray()).toString(), [FIRST, ...sent].join(''));
  });

  test('that hold an error end the answer, and the body, from within the piece', async (t) => {
    const { body, answer, end, wait } = await startPump(t);
    wait();
    body.come('data: {"error":{"message":"too much"}}\n\n');
    assert.ok(body.isDestroyed);
    const text = Buffer.concat(await answer.toArray()).toString();
    assert.match(text, /"message":"too much"/);
    assert.equal((await end).outcome, 'broken');
  });

  test('wait while the client does not read, and none is lost', async (t) => {
    const { body, answer, wait } = await startPump(t);
    let sent = FIRST;
    while (!body.isPaused) {
      const text = event('x'.repeat(2_000));
      sent += text;
      wait();
      body.come(text);
      await setImmediate();
      if (sent.length > 32 * 1024 * 1024) assert.fail('the body was never paused');
    }
    const read = answer.toArray();
    while (body.isPaused) await setImmediate();
    body.come('data: [DONE]\n\n');
    body.reader?.onEnd();
    assert.equal(Buffer.concat(await read).toString(), `${sent}data: [DONE]\n\n`);
  });
});
