import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Cancellation } from '../../../src/cancellation.ts';
import { certificate, hasOpenssl } from '../../helpers/certificate.ts';
import { startRawUpstream } from '../../helpers/raw-upstream.ts';
import { startSender } from '../../helpers/sender.ts';
import { until } from '../../helpers/until.ts';

/** Linux tells of the timers of its connections here: for what, and in how many hundredths of a second. */
const TABLE = '/proc/net/tcp';
const KEEP_ALIVE = '02';
const LIMIT_HUNDREDTHS = 30 * 100;

for (const scheme of ['http', 'https'] as const) {
  const skip =
    (!existsSync(TABLE) && `there is no ${TABLE}`) ||
    (scheme === 'https' && !hasOpenssl() && 'openssl is not installed');

  test(`a connection without an answer is tried every 30 seconds, so that nobody between forgets it (${scheme})`, {
    skip,
  }, async (t) => {
    const tls = scheme === 'https' ? certificate(t, 'localhost', 2) : null;
    const upstream = await startRawUpstream(t, () => {}, { tls });
    const sender = startSender(t, upstream.origin, { ca: tls?.cert });
    const signal = new Cancellation();
    const failed = assert.rejects(sender.send('hello', signal), /the client left/);
    await until(() => upstream.requests.length === 1, 'the request');
    const ports = [upstream.connections[0]?.remotePort ?? 0, Number(new URL(upstream.origin).port)] as const;
    await until(() => timerBetween(...ports)[0] === KEEP_ALIVE, 'only the timer of the silence is left');
    const [, hundredths = ''] = timerBetween(...ports);
    assert.ok(Number.parseInt(hundredths, 16) <= LIMIT_HUNDREDTHS, hundredths);
    signal.abort(new Error('the client left'));
    await failed;
  });
}

/** What the next timer of the connection between two ports is for, and when it comes. A local port may have others. */
function timerBetween(local: number, remote: number): string[] {
  const lines = readFileSync(TABLE, 'latin1').split('\n');
  const fields = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, from, to]) => from?.endsWith(inTable(local)) && to?.endsWith(inTable(remote)));
  return fields?.[5]?.split(':') ?? [];
}

function inTable(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}
