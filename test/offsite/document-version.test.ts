import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDocumentVersion, relationOf, WRITER_COUNTER } from '../../src/offsite/document-version.ts';
import { documentOf } from './fixture.ts';

describe('readDocumentVersion()', () => {
  test('reads a database file', () => {
    const document = documentOf(3, {
      counters: [
        ['lastUsed', 5],
        [WRITER_COUNTER, 42],
      ],
    });
    assert.deepEqual(readDocumentVersion(document), { generation: 3, instanceId: 'a1b2c3d4', writer: 42 });
    assert.equal(readDocumentVersion(documentOf(3))?.writer, null);
  });

  for (const text of [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"generation":"1","instanceId":"a"}',
    '{"generation":1}',
  ]) {
    test(`is null for ${text || 'nothing'}`, () =>
      assert.equal(readDocumentVersion(Buffer.from(text)), null));
  }
});

describe('relationOf()', () => {
  const local = { generation: 5, instanceId: 'a', writer: 1 };
  const rows = [
    ['the same generation', { generation: 5, instanceId: 'a', writer: 1 }, 'ours'],
    ['an older one', { generation: 4, instanceId: 'a', writer: 1 }, 'ours'],
    ['a newer one', { generation: 6, instanceId: 'a', writer: 1 }, 'newer'],
    ['another writer, though older', { generation: 4, instanceId: 'a', writer: 2 }, 'taken-over'],
    ['another installation, though older', { generation: 1, instanceId: 'b', writer: 1 }, 'foreign'],
  ] as const;
  for (const [name, held, relation] of rows) {
    test(name, () => assert.equal(relationOf(local, held), relation));
  }

  test('a store that has written none does not mind the writer', () => {
    assert.equal(
      relationOf({ ...local, writer: null }, { generation: 5, instanceId: 'a', writer: 9 }),
      'ours',
    );
  });
});
