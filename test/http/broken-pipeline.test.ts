import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnswers, sendRaw } from '../helpers/raw-socket.ts';
import { startApp } from '../helpers/start-app.ts';

const GET = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
const CLOSING = 'GET /health HTTP/1.0\r\n\r\n';

type Row = readonly [name: string, bytes: string, statuses: readonly number[]];
/** All of it arrives before the first request is answered, so that those after it wait. */
const ROWS: readonly Row[] = [
  ['one, then noise', `${GET}\x00\x01`, [200, 400]],
  ['two, then noise', `${GET}${GET}\x00\x01`, [200, 200, 400]],
  ['many, then noise', `${GET.repeat(50)}\x00\x01`, [...Array.from({ length: 50 }, () => 200), 400]],
  ['two, the second closes, then another', `${GET}${CLOSING}${GET}`, [200, 200]],
  ['two, the second closes, then noise', `${GET}${CLOSING}\x00\x01`, [200, 200]],
];

test('sound requests that wait are answered, although something broken came after them', {
  timeout: 20_000,
}, async (t) => {
  const app = await startApp(t);
  for (const [name, bytes, statuses] of ROWS) {
    const answers = parseAnswers(await sendRaw(t, app.port, bytes));
    assert.deepEqual(
      answers.map(({ status }) => status),
      statuses,
      name,
    );
  }
});
