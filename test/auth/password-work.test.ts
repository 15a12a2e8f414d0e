import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createPasswordWork, MAX_WAITING, type WorkLane } from '../../src/auth/password-work.ts';
import { HttpError } from '../../src/errors.ts';
import { errorHeader } from '../helpers/error-header.ts';

interface Held {
  readonly promise: Promise<void>;
  readonly release: () => void;
}

function hold(): Held {
  let release = (): void => {};
  const promise = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { promise, release };
}

function isRefusal(error: unknown): boolean {
  assert.ok(error instanceof HttpError);
  assert.equal(error.status, 429);
  assert.equal(error.error.code, 'too_many_attempts');
  assert.match(errorHeader(error, 'retry-after') ?? '', /^[1-9]\d*$/);
  return true;
}

describe('createPasswordWork()', () => {
  it('runs one, lets eight wait, refuses the rest, in order', async () => {
    const work = createPasswordWork();
    const gate = hold();
    const done: number[] = [];
    let running = 0;
    let most = 0;
    const accepted = Array.from({ length: 9 }, (_, index) =>
      work(async () => {
        running += 1;
        most = Math.max(most, running);
        await gate.promise;
        running -= 1;
        done.push(index);
      }),
    );
    for (let extra = 0; extra < 20; extra += 1) {
      await assert.rejects(
        work(() => assert.fail('must not run')),
        isRefusal,
      );
    }
    gate.release();
    await Promise.all(accepted);
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(most, 1);
    assert.equal(await work(async () => 'free again'), 'free again');
  });

  it('keeps places for people it knows, whose turn comes after one stranger at most', async () => {
    const work = createPasswordWork();
    const gate = hold();
    const order: string[] = [];
    const job = (name: string) => async (): Promise<void> => {
      await gate.promise;
      order.push(name);
    };
    const strangers = Array.from({ length: 9 }, (_, index) => work(job(`stranger ${index}`)));
    await assert.rejects(work(job('refused')), isRefusal);
    const known = ['owner', 'user'].map((name) => work(job(name), 'trusted'));
    gate.release();
    await Promise.all([...strangers, ...known]);
    assert.deepEqual(order.slice(0, 5), ['stranger 0', 'owner', 'stranger 1', 'user', 'stranger 2']);
  });

  it('bounds the trusted lane too', async () => {
    const work = createPasswordWork();
    const gate = hold();
    const accepted = Array.from({ length: 1 + MAX_WAITING.trusted }, () =>
      work(() => gate.promise, 'trusted'),
    );
    await assert.rejects(
      work(() => gate.promise, 'trusted'),
      isRefusal,
    );
    gate.release();
    await Promise.all(accepted);
  });

  it('goes on after jobs that throw, at once or later', async () => {
    const work = createPasswordWork();
    const results = await Promise.allSettled([
      work(() => {
        throw new Error('at once');
      }),
      work(() => Promise.reject(new Error('later'))),
      work(async () => 42),
    ]);
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message)),
      ['at once', 'later', 42],
    );
  });

  it('never runs two, never loses one, never lets more wait than it may', async () => {
    const lane = fc.constantFrom<WorkLane>('public', 'trusted');
    await fc.assert(
      fc.asyncProperty(fc.array(lane, { maxLength: 40 }), fc.scheduler(), async (lanes, scheduler) => {
        const work = createPasswordWork({ maxWaiting: { public: 3, trusted: 5 } });
        let running = 0;
        const results = lanes.map((which, index) =>
          work(async () => {
            running += 1;
            assert.equal(running, 1);
            await scheduler.schedule(Promise.resolve());
            running -= 1;
            return index;
          }, which).catch((error: unknown) => (isRefusal(error) ? 'refused' : 'impossible')),
        );
        await scheduler.waitFor(Promise.all(results));
        const outcomes = await Promise.all(results);
        const refused = (which: WorkLane): number =>
          outcomes.filter((outcome, index) => outcome === 'refused' && lanes[index] === which).length;
        const asked = (which: WorkLane): number => lanes.filter((one) => one === which).length;
        const first = lanes[0];
        assert.equal(refused('public'), Math.max(0, asked('public') - 3 - (first === 'public' ? 1 : 0)));
        assert.equal(refused('trusted'), Math.max(0, asked('trusted') - 5 - (first === 'trusted' ? 1 : 0)));
        assert.ok(outcomes.every((outcome, index) => outcome === 'refused' || outcome === index));
      }),
    );
  });
});
