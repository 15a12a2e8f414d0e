import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LastNames, type NamedPlace } from '../../../src/usage/ledger/names.ts';

describe('last names', () => {
  it('are saved once, and again after a failure', async () => {
    const names = new LastNames();
    names.note('key', 'k1', 'Anna’s laptop');
    names.note('user', 'u1', 'anna');
    const refuse = (): Promise<void> => Promise.reject(new Error('no space'));
    await assert.rejects(names.save(refuse), /no space/);
    names.note('user', 'u1', 'anna b.');
    const saved: NamedPlace[] = [];
    const take = async (changed: NamedPlace[]): Promise<void> => {
      saved.push(...changed);
    };
    await names.save(take);
    await names.save(take);
    assert.deepEqual(saved, [
      ['key:k1', 'Anna’s laptop'],
      ['user:u1', 'anna b.'],
    ]);
    names.changeAll();
    await names.save(take);
    assert.equal(saved.length, 4);
  });

  it('a name that was not saved yet is newer than one that is read', async () => {
    const names = new LastNames();
    names.note('key', 'k1', 'new');
    names.learn(['key:k1', 'old']);
    names.learn(['key:k2', 'other']);
    assert.equal(names.get('key', 'k1'), 'new');
    assert.equal(names.get('key', 'k2'), 'other');
    await names.save(async () => {});
    names.learn(['key:k1', 'newer, from another instance']);
    assert.equal(names.get('key', 'k1'), 'newer, from another instance');
  });
});
