import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addUser } from '../auth/quick-users.ts';
import { jsonRequest, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

describe('the reports of one user', { timeout: 60_000 }, () => {
  for (const path of ['usage', 'requests']) {
    test(`leave the places of all others free: ${path}`, async (t) => {
      const app = await startApp(t);
      const token = await addUser(app, { id: 'anna' });
      const { ledger, requestLog } = app.services;
      let running = 0;
      let go = (): void => {};
      const gate = new Promise<void>((resolve) => {
        go = resolve;
      });
      const held = async <T>(work: () => Promise<T>): Promise<T> => {
        running += 1;
        await gate;
        return work();
      };
      const { query } = ledger;
      const { page } = requestLog;
      ledger.query = (asked) => held(() => query.call(ledger, asked));
      requestLog.page = (asked) => held(() => page.call(requestLog, asked));
      let refused = 0;
      const answers = Array.from({ length: 40 }, async () => {
        const answer = await fetch(`${app.origin}/api/user/${path}`, jsonRequest('GET', `Bearer ${token}`));
        if (answer.status === 503) refused += 1;
        await answer.text();
        return answer.status;
      });
      await until(() => refused === 24 || running > 1, 'the others are refused');
      assert.equal(running, 1);
      go();
      const statuses = await Promise.all(answers);
      assert.equal(statuses.filter((status) => status === 200).length, 16);
    });
  }
});
