import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type Answer, type FakeUpstream, type ReceivedRequest, startUpstream } from './fake-upstream.ts';

/** An alert as it arrived. */
export interface ReceivedAlert {
  readonly type: string;
  readonly at: string;
  readonly data: Record<string, unknown>;
}

/** A webhook whose answers are scripted: one status for each request, the last for all further ones. */
export function startReceiver(t: TestContext, statuses: readonly number[] = [204]): Promise<FakeUpstream> {
  let count = 0;
  const answer: Answer = (_req, res) => {
    const status = statuses[Math.min(count, statuses.length - 1)] ?? 204;
    count += 1;
    res.writeHead(status, status >= 300 && status < 400 ? { location: '/elsewhere' } : {}).end();
  };
  return startUpstream(t, answer);
}

/** The alert in a request, once its signature is checked by hand, as a receiver would. */
export function readAlert(request: ReceivedRequest | undefined, key: string | Buffer): ReceivedAlert {
  assert.ok(request !== undefined, 'a request arrived');
  const { headers, body } = request;
  const signed = Buffer.concat([
    Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`),
    body,
  ]);
  const signature = createHmac('sha256', key).update(signed).digest('base64');
  assert.equal(headers['webhook-signature'], `v1,${signature}`);
  assert.equal(headers['content-type'], 'application/json');
  assert.match(String(headers['webhook-timestamp']), /^\d{10}$/);
  const alert = JSON.parse(body.toString());
  assert.deepEqual(Object.keys(alert), ['type', 'at', 'data']);
  return alert;
}
