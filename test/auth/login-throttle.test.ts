import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLoginThrottle, type LoginAttempt, type LoginThrottle } from '../../src/auth/login-throttle.ts';
import { HttpError } from '../../src/errors.ts';
import { AttemptLog } from '../../src/store/attempt-log.ts';
import type { LastUseStore } from '../../src/store/store.ts';
import { errorHeader } from '../helpers/error-header.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const HOME = '198.51.100.1';

interface World {
  readonly throttle: LoginThrottle;
  readonly clock: { nowMs: number };
  readonly lastUses: Map<string, number>;
}

function worldOf(): World {
  const clock = { nowMs: 1_800_000_000_000 };
  const lastUses = new Map<string, number>();
  const lastUse: LastUseStore = {
    read: async (names) => names.map((name) => lastUses.get(name)),
    note: async (name, atMs) => {
      lastUses.set(name, atMs);
    },
  };
  const attempts = new AttemptLog();
  return { throttle: createLoginThrottle({ now: () => clock.nowMs, lastUse, attempts }), clock, lastUses };
}

/** The attempt, or how many seconds the refusal says to wait. */
async function knock({ throttle }: World, account: string, address: string): Promise<LoginAttempt | number> {
  try {
    return await throttle.begin(account, address);
  } catch (error) {
    assert.ok(error instanceof HttpError);
    assert.equal(error.status, 429);
    assert.equal(error.error.code, 'too_many_attempts');
    assert.ok(!error.message.includes(account) || account === '');
    assert.match(errorHeader(error, 'retry-after') ?? '', /^[1-9]\d*$/);
    return Number(errorHeader(error, 'retry-after'));
  }
}

/** How many of so many attempts are let through. */
async function countLet(
  world: World,
  attempts: number,
  next: (index: number) => readonly [string, string],
): Promise<number> {
  let count = 0;
  for (let index = 0; index < attempts; index += 1) {
    if (typeof (await knock(world, ...next(index))) === 'object') count += 1;
  }
  return count;
}

async function signIn(world: World, account: string, address: string): Promise<void> {
  const attempt = await knock(world, account, address);
  assert.ok(typeof attempt === 'object');
  await attempt.succeed();
}

const addressOf = (index: number): string => `203.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;

describe('createLoginThrottle()', () => {
  type Row = readonly [
    name: string,
    attempts: number,
    next: (index: number) => readonly [string, string],
    expected: number,
  ];
  const rows: readonly Row[] = [
    ['one address on one account', 30, () => ['admin', HOME], 10],
    ['one address on many accounts', 30, (index) => [`user${index}`, HOME], 10],
    [
      'one address that is written in two ways',
      30,
      (index) => ['admin', index % 2 === 0 ? HOME : `::ffff:${HOME}`],
      10,
    ],
    ['one /64 of IPv6', 200, (index) => ['admin', `2001:db8:0:1::${index.toString(16)}`], 10],
    ['addresses that are none', 30, (index) => ['admin', `garbage ${index}`], 10],
    ['many addresses on one account', 200, (index) => ['admin', addressOf(index)], 60],
    ['many /64s on one account', 200, (index) => ['admin', `2001:db8:0:${index.toString(16)}::1`], 60],
    ['many addresses, each on its own account', 200, (index) => [`user${index}`, addressOf(index)], 200],
    [
      'two spellings of a name are two accounts',
      20,
      (index) => [index % 2 === 0 ? 'admin' : 'Admin', addressOf(index)],
      20,
    ],
    [
      'names with a NUL do not meet others',
      4,
      (index) => [index % 2 === 0 ? 'a\0b' : 'a', addressOf(index)],
      4,
    ],
  ];
  for (const [name, attempts, next, expected] of rows) {
    it(`${name}: lets ${expected} of ${attempts} through in a minute`, async () => {
      assert.equal(await countLet(worldOf(), attempts, next), expected);
    });
  }

  it('says exactly how long to wait', async () => {
    const world = worldOf();
    for (let index = 0; index < 10; index += 1) {
      assert.equal(typeof (await knock(world, 'admin', HOME)), 'object');
      world.clock.nowMs += 1500;
    }
    // The first attempt was 15 s ago.
    assert.equal(await knock(world, 'admin', HOME), 45);
    world.clock.nowMs += 44_001;
    assert.equal(await knock(world, 'admin', HOME), 1);
    world.clock.nowMs += 999;
    assert.equal(typeof (await knock(world, 'admin', HOME)), 'object');
    assert.equal(await knock(world, 'admin', HOME), 2);
  });

  it('waits for the longest of several limits', async () => {
    const world = worldOf();
    await countLet(world, 10, () => ['admin', HOME]);
    world.clock.nowMs += 30_000;
    await countLet(world, 50, (index) => ['ann', addressOf(index)]);
    await countLet(world, 10, (index) => ['ann', addressOf(100 + index)]);
    assert.equal(await knock(world, 'ann', HOME), 60);
    assert.equal(await knock(world, 'admin', HOME), 30);
    assert.equal(await knock(world, 'ann', addressOf(200)), 60);
  });

  it('is not put off by being asked again and again', async () => {
    const world = worldOf();
    await countLet(world, 10, () => ['admin', HOME]);
    for (let second = 0; second < 60; second += 1) {
      assert.equal(await knock(world, 'admin', HOME), 60 - second);
      world.clock.nowMs += 1000;
    }
    assert.equal(typeof (await knock(world, 'admin', HOME)), 'object');
  });

  it('counts attempts whose passwords are still being looked at', async () => {
    const world = worldOf();
    const open = await Promise.all(Array.from({ length: 10 }, () => knock(world, 'admin', HOME)));
    assert.ok(open.every((attempt) => typeof attempt === 'object'));
    assert.equal(await knock(world, 'admin', HOME), 60);
  });

  it('does not count sign-ins that succeed, nor attempts that were not looked at', async () => {
    const world = worldOf();
    for (let index = 0; index < 50; index += 1) await signIn(world, 'admin', HOME);
    for (let index = 0; index < 50; index += 1) {
      const attempt = await knock(world, 'ann', addressOf(1));
      assert.ok(typeof attempt === 'object');
      await attempt.cancel();
    }
    assert.equal(await countLet(world, 30, () => ['admin', HOME]), 10);
    assert.equal(await countLet(world, 30, () => ['ann', addressOf(1)]), 10);
  });

  it('takes back an attempt once, however often it is told to', async () => {
    const world = worldOf();
    assert.equal(await countLet(world, 9, () => ['admin', HOME]), 9);
    const attempt = await knock(world, 'admin', HOME);
    assert.ok(typeof attempt === 'object');
    for (let again = 0; again < 5; again += 1) await attempt.cancel();
    await attempt.succeed();
    assert.equal(await countLet(world, 30, () => ['ann', HOME]), 1);
  });

  it('takes back one attempt, not those of others: own sign-ins between do not buy guesses', async () => {
    const world = worldOf();
    let guesses = 0;
    for (let index = 0; index < 100; index += 1) {
      const own = await knock(world, 'mallory', HOME);
      if (typeof own === 'object') await own.succeed();
      if (typeof (await knock(world, 'admin', HOME)) === 'object') guesses += 1;
    }
    assert.equal(guesses, 10);
  });
});

describe('an address that the account knows', () => {
  it('is let in while strangers from everywhere are held', async () => {
    const world = worldOf();
    await signIn(world, 'admin', HOME);
    assert.equal(await countLet(world, 600, (index) => ['admin', addressOf(index)]), 60);
    const attempt = await knock(world, 'admin', HOME);
    assert.ok(typeof attempt === 'object');
    assert.equal(attempt.lane, 'trusted');
  });

  it('is let in while somebody beside it guesses at other accounts', async () => {
    const world = worldOf();
    await signIn(world, 'admin', HOME);
    assert.equal(await countLet(world, 30, (index) => [`user${index}`, HOME]), 10);
    assert.equal(typeof (await knock(world, 'admin', HOME)), 'object');
    assert.equal(typeof (await knock(world, 'ann', HOME)), 'number');
  });

  it('has ten attempts of its own, and no more guesses than others have', async () => {
    const world = worldOf();
    await signIn(world, 'admin', HOME);
    assert.equal(await countLet(world, 30, () => ['admin', HOME]), 10);
    assert.equal(await countLet(world, 30, () => ['ann', HOME]), 0);
  });

  it('is known for this account alone, to its network, and for 30 days', async () => {
    const world = worldOf();
    await signIn(world, 'admin', '2001:db8::1');
    const laneOf = async (account: string, address: string): Promise<string> => {
      const attempt = await knock(world, account, address);
      if (typeof attempt === 'number') return 'refused';
      await attempt.cancel();
      return attempt.lane;
    };
    assert.equal(await laneOf('admin', '2001:db8::2'), 'trusted');
    assert.equal(await laneOf('admin', '2001:db8:0:1::1'), 'public');
    assert.equal(await laneOf('ann', '2001:db8::1'), 'public');
    world.clock.nowMs += 30 * DAY_MS - 1;
    assert.equal(await laneOf('admin', '2001:db8::1'), 'trusted');
    world.clock.nowMs += 1;
    assert.equal(await laneOf('admin', '2001:db8::1'), 'public');
  });

  it('is remembered in the store, under a name that shows neither account nor address', async () => {
    const world = worldOf();
    await signIn(world, 'admin', HOME);
    const [[name, at] = ['', 0]] = [...world.lastUses];
    assert.match(name, /^sign-in:[\w-]{22}$/);
    assert.equal(at, world.clock.nowMs);
    assert.equal(world.lastUses.size, 1);
  });
});

/** One window of an `AttemptLog`, asked and added to by itself. */
function windowOf({ limit, windowMs, maxNames }: { limit: number; windowMs: number; maxNames: number }) {
  const log = new AttemptLog(maxNames);
  const take = (name: string, atMs: number, refuses: boolean) =>
    log.take([{ kind: 'any', name, limit, windowMs, refuses }], atMs);
  return {
    size: () => log.sizeOf('any'),
    /** Counts an attempt; returns what takes it back. */
    add: async (name: string, atMs: number): Promise<() => Promise<void>> => {
      const { counted } = await take(name, atMs, false);
      return () => log.giveBack(counted, atMs);
    },
    /** How long to wait; 0 if an attempt would be let through. */
    waitMs: async (name: string, atMs: number): Promise<number> => {
      const { waitMs, counted } = await take(name, atMs, true);
      await log.giveBack(counted, atMs);
      return waitMs;
    },
  };
}

describe('AttemptLog', () => {
  it('remembers so many names and no more, however many come', async () => {
    const log = windowOf({ limit: 10, windowMs: 60_000, maxNames: 100 });
    for (let index = 0; index < 10_000; index += 1) await log.add(`name ${index}`, index);
    assert.equal(log.size(), 100);
  });

  it('forgets first the name not heard of for longest, asking included', async () => {
    const log = windowOf({ limit: 1, windowMs: 60_000, maxNames: 3 });
    for (const name of ['a', 'b', 'c']) await log.add(name, 0);
    await log.waitMs('a', 1);
    await log.add('d', 1);
    const waits: number[] = [];
    for (const name of ['a', 'c', 'd', 'b']) waits.push(await log.waitMs(name, 2));
    assert.deepEqual(waits, [59_998, 59_998, 59_999, 0]);
  });

  it('counts nothing over the limit, so that waits stay exact', async () => {
    const log = windowOf({ limit: 2, windowMs: 60_000, maxNames: 3 });
    await log.add('a', 0);
    await log.add('a', 10_000);
    const undo = await log.add('a', 20_000);
    assert.equal(await log.waitMs('a', 20_000), 40_000);
    assert.equal(await log.waitMs('a', 60_000), 0);
    await undo();
    await log.add('a', 60_000);
    assert.equal(await log.waitMs('a', 60_000), 10_000);
  });

  it('does not block for longer than its window after the clock was set back', async () => {
    const log = windowOf({ limit: 1, windowMs: 60_000, maxNames: 3 });
    await log.add('a', 10 * DAY_MS);
    assert.equal(await log.waitMs('a', 0), 0);
  });

  it('never lets more than its limit through in any window, and waits are exact', async () => {
    const step = fc.record({ stepMs: fc.integer({ min: 0, max: 40 }), takeBack: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, limit) => {
          const windowMs = 100;
          const log = windowOf({ limit, windowMs, maxNames: 10 });
          const counted: number[] = [];
          let nowMs = 0;
          for (const { stepMs, takeBack } of steps) {
            nowMs += stepMs;
            const recent = counted.filter((at) => nowMs - at < windowMs);
            const waitMs = await log.waitMs('a', nowMs);
            assert.equal(waitMs > 0, recent.length >= limit);
            if (waitMs > 0) {
              assert.equal(
                counted.filter((at) => nowMs + waitMs - at < windowMs).length,
                limit - 1 - tiesAt(recent, limit),
              );
              continue;
            }
            const undo = await log.add('a', nowMs);
            if (takeBack) await undo();
            else counted.push(nowMs);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** How many further attempts leave the window together with the one that is waited for. */
function tiesAt(recent: readonly number[], limit: number): number {
  const [first, ...rest] = recent.slice(-limit);
  return rest.filter((at) => at === first).length;
}

describe('the throttle as a whole', () => {
  it('keeps every limit under any traffic', async () => {
    const accounts = ['admin', 'ann', 'ben'];
    const event = fc.record({
      account: fc.nat(2),
      address: fc.nat(11),
      stepMs: fc.integer({ min: 0, max: 3000 }),
      outcome: fc.constantFrom('wrong', 'wrong', 'wrong', 'wrong', 'right', 'cancelled'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 100, maxLength: 400 }), async (events) => {
        const world = worldOf();
        const failures: { at: number; pair: string; account: string; known: boolean; address: string }[] = [];
        const known = new Set<string>();
        for (const { account: which, address: place, stepMs, outcome } of events) {
          world.clock.nowMs += stepMs;
          const [account = '', address] = [accounts[which], addressOf(place)];
          const pair = `${account} ${address}`;
          const now = world.clock.nowMs;
          const within = failures.filter(({ at }) => now - at < 60_000);
          const attempt = await knock(world, account, address);
          const pairCount = within.filter((failure) => failure.pair === pair).length;
          if (typeof attempt === 'number') {
            // Nobody is refused without reason, and a known address only by its own failures.
            if (known.has(pair)) assert.ok(pairCount >= 10);
            else {
              const addressCount = within.filter((failure) => failure.address === address).length;
              const accountCount = within.filter(
                (failure) => failure.account === account && !failure.known,
              ).length;
              assert.ok(addressCount >= 10 || accountCount >= 60);
            }
            continue;
          }
          assert.ok(pairCount < 10);
          assert.equal(attempt.lane, known.has(pair) ? 'trusted' : 'public');
          if (outcome === 'cancelled') await attempt.cancel();
          else if (outcome === 'right') {
            await attempt.succeed();
            known.add(pair);
          } else failures.push({ at: now, pair, account, known: known.has(pair), address });
        }
      }),
      { numRuns: 60 },
    );
  });
});
