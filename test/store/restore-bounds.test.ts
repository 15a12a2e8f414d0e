import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { exportBackup } from '../../src/store/backup.ts';
import { parseRawDocument } from '../../src/store/document.ts';
import { DocumentError } from '../../src/store/document-error.ts';
import { parseRawDocumentInTurns } from '../../src/store/document-turns.ts';
import { createNewConfig } from '../../src/store/new-config.ts';
import { errorOf } from '../helpers/picture-server.ts';
import { startApp } from '../helpers/start-app.ts';
import { NOW_MS } from './fixture.ts';
import { makeApiKey } from './store-contract.ts';

const MIB = 1024 * 1024;
const now = (): number => NOW_MS;

async function backupWith(keys: number): Promise<Buffer> {
  const models = Array.from({ length: 20 }, (_, index) => `model-${index}`);
  const records = Array.from({ length: keys }, (_, index) => ({ ...makeApiKey(`key_${index}`), models }));
  const config = {
    ...createNewConfig({ now, randomBytes }),
    apiKeys: new Map(records.map((r) => [r.id, r])),
  };
  return exportBackup(config, { secrets: { mode: 'omit' }, now, randomBytes });
}

describe('a backup from outside', { timeout: 60_000 }, () => {
  test('B3: is read in turns, and as it is read at once', async () => {
    const bytes = await backupWith(10_000);
    let turns = 0;
    const found = await parseRawDocumentInTurns(bytes, async () => {
      turns += 1;
    });
    assert.deepEqual(found, parseRawDocument(bytes));
    assert.ok(turns >= (2 * bytes.length) / MIB, `${turns}`);
    const altered = Buffer.from(bytes.toString().replace('"key_9999"', '"key_999X"'));
    await assert.rejects(parseRawDocumentInTurns(altered), /its checksum does not fit/);
  });

  const refused: [string, string][] = [
    ['3,000,000 empty providers', `{"providers":[${'{},'.repeat(3_000_000)}{}]}`],
    ['2,001 empty providers', `{"providers":[${'{},'.repeat(2_000)}{}]}`],
    ['a record of 9 MB', `{"users":[{"name":"${'x'.repeat(9 * MIB)}"}]}`],
    ['9 MB outside of its lists', `{"users":{},"more":"${'x'.repeat(9 * MIB)}"}`],
    ['lists in lists', `{"users":${'['.repeat(4 * MIB)}${']'.repeat(4 * MIB)}}`],
    ['a list given twice', '{"users":[],"users":[{}]}'],
    ['a member of a record given twice', '{"users":[{"id":"a","i\\u0064":"b"}]}'],
  ];
  for (const [what, text] of refused) {
    test(`B3: is refused with ${what}, before records are made`, async (t) => {
      await assert.rejects(parseRawDocumentInTurns(Buffer.from(text)), (error) => {
        return error instanceof DocumentError && error.fault === 'refused';
      });
      const app = await startApp(t);
      const error = await errorOf(400, await app.admin('POST', '/api/admin/restore', text));
      assert.equal(error.code, 'invalid_body');
      assert.ok(String(error.message).length < 600);
    });
  }
});
