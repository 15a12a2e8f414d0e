import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { ReadingQueue } from '../../src/usage/reading-queue.ts';

describe('a queue of readings', () => {
  it('reads one after the other, refuses what is too much, and goes on after a failure', async () => {
    const queue = new ReadingQueue(2, () => new HttpError('server_overloaded', 'Too many.'));
    const ends: (() => void)[] = [];
    const reading = (name: string) => () => new Promise<string>((resolve) => ends.push(() => resolve(name)));
    const first = queue.run(reading('first'));
    const second = queue.run(() => Promise.reject(new Error('unreadable')));
    second.catch(() => {});
    await assert.rejects(queue.run(reading('third')), { message: 'Too many.' });
    await new Promise(setImmediate);
    assert.equal(ends.length, 1);
    ends[0]?.();
    assert.equal(await first, 'first');
    await assert.rejects(second, { message: 'unreadable' });
    const fourth = queue.run(reading('fourth'));
    await new Promise(setImmediate);
    ends[1]?.();
    assert.equal(await fourth, 'fourth');
  });
});
