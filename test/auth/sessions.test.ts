import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { userFingerprint } from '../../src/auth/credentials.ts';
import {
  ABSOLUTE_LIFETIME_MS,
  IDLE_LIFETIME_MS,
  type SessionOwner,
  Sessions,
} from '../../src/auth/sessions.ts';
import type { User } from '../../src/store/entities.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { SessionStore } from '../../src/store/store.ts';
import { makeUser } from '../helpers/records.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.parse('2026-01-01T00:00:00Z');

interface World {
  readonly sessions: Sessions;
  readonly store: SessionStore;
  readonly users: Map<string, User>;
  readonly clock: { nowMs: number };
  readonly admin: { fingerprint: string };
  readonly touched: number[];
}

function worldOf(maxPerAccount?: number): World {
  const clock = { nowMs: START_MS };
  const admin = { fingerprint: 'admin fingerprint' };
  const touched: number[] = [];
  const inner = createMemoryStore({ now: () => clock.nowMs, randomBytes }).sessions;
  const touch = inner.touch.bind(inner);
  const store: SessionStore = Object.assign(inner, {
    touch: (digest: string, lastSeenAt: number) => {
      touched.push(lastSeenAt);
      return touch(digest, lastSeenAt);
    },
  });
  const users = new Map([userOf('ann'), userOf('ben')].map((user) => [user.id, user]));
  const sessions = new Sessions({
    store,
    now: () => clock.nowMs,
    randomBytes,
    adminFingerprint: async () => admin.fingerprint,
    userById: (id) => users.get(id),
    ...(maxPerAccount === undefined ? {} : { maxPerAccount }),
  });
  return { sessions, store, users, clock, admin, touched };
}

function userOf(id: string): User {
  return makeUser({ id, passwordHash: `scrypt$${id}` });
}

function ownerOf(world: World, userId: string | null): SessionOwner {
  const user = userId === null ? null : (world.users.get(userId) ?? null);
  return { user, credential: user === null ? world.admin.fingerprint : userFingerprint(user.passwordHash) };
}

async function countOf(store: SessionStore): Promise<number> {
  return (await store.list()).length;
}

async function kindOf(sessions: Sessions, token: string): Promise<string> {
  return (await sessions.resolve(token))?.kind ?? 'nobody';
}

describe('open() and resolve()', () => {
  it('makes a token of 256 bits of which the store has the SHA-256 alone', async () => {
    const world = worldOf();
    const { token, session, expiresAt } = await world.sessions.open(ownerOf(world, null));
    assert.match(token, /^[\w-]{43}$/);
    assert.equal(session.digest, createHash('sha256').update(token).digest('hex'));
    assert.ok(!JSON.stringify(await world.store.get(session.digest)).includes(token));
    assert.equal(expiresAt, '2026-01-01T12:00:00.000Z');
    assert.deepEqual(await world.sessions.resolve(token), { kind: 'admin', session });
  });

  it('gives a user as he is now, with a new token at each sign-in', async () => {
    const world = worldOf();
    const first = await world.sessions.open(ownerOf(world, 'ann'));
    const second = await world.sessions.open(ownerOf(world, 'ann'));
    assert.notEqual(first.token, second.token);
    const renamed = { ...userOf('ann'), name: 'Ann B.' };
    world.users.set('ann', renamed);
    assert.deepEqual(await world.sessions.resolve(first.token), {
      kind: 'user',
      session: first.session,
      user: renamed,
    });
  });

  it('knows no other token', async () => {
    const world = worldOf();
    const { token, session } = await world.sessions.open(ownerOf(world, null));
    const wrong = [
      '',
      ' ',
      token.slice(1),
      `${token}A`,
      `${token} `,
      token.toLowerCase(),
      session.digest,
      '__proto__',
      'A'.repeat(43),
      'A'.repeat(1_000_000),
    ];
    for (const other of wrong) assert.equal(await world.sessions.resolve(other), null);
    assert.equal(await kindOf(world.sessions, token), 'admin');
  });

  const endings: readonly (readonly [name: string, userId: string | null, change: (world: World) => void])[] =
    [
      ["the admin's password changes", null, (world) => (world.admin.fingerprint = 'another')],
      [
        "a user's password changes",
        'ann',
        (world) => world.users.set('ann', { ...userOf('ann'), passwordHash: 'new' }),
      ],
      [
        'the user is disabled',
        'ann',
        (world) => world.users.set('ann', { ...userOf('ann'), enabled: false }),
      ],
      ['the user is deleted', 'ann', (world) => world.users.delete('ann')],
    ];
  for (const [name, userId, change] of endings) {
    it(`ends when ${name}, and does not come back when that is undone`, async () => {
      const world = worldOf();
      const { token } = await world.sessions.open(ownerOf(world, userId));
      const bystander = await world.sessions.open(ownerOf(world, 'ben'));
      change(world);
      assert.equal(await world.sessions.resolve(token), null);
      world.admin.fingerprint = 'admin fingerprint';
      world.users.set('ann', userOf('ann'));
      assert.equal(await world.sessions.resolve(token), null);
      assert.equal(await kindOf(world.sessions, bystander.token), 'user');
    });
  }

  it('is not taken over by a role that a user has put on', async () => {
    const world = worldOf();
    const { session } = await world.sessions.open(ownerOf(world, 'ann'));
    await world.store.put({ ...session, role: 'admin' });
    await world.store.put({ ...session, digest: 'x', role: 'user', userId: null });
    await world.sessions.prune();
    assert.equal(await countOf(world.store), 0);
  });

  it('sees a session that ends while it waits for the fingerprint', async () => {
    const world = worldOf();
    const { token, session } = await world.sessions.open(ownerOf(world, null));
    const resolving = world.sessions.resolve(token);
    await world.sessions.end(session);
    assert.equal(await resolving, null);
  });
});

describe('the lifetime of a session', () => {
  type Row = readonly [name: string, stepsMs: readonly number[], alive: boolean];
  const rows: readonly Row[] = [
    ['at once', [0], true],
    ['after 1 ms less than the idle limit', [IDLE_LIFETIME_MS - 1], true],
    ['at the idle limit', [IDLE_LIFETIME_MS], false],
    ['used every half hour for 11.5 h', new Array<number>(23).fill(IDLE_LIFETIME_MS / 2), true],
    ['used every half hour for 12 h', new Array<number>(24).fill(IDLE_LIFETIME_MS / 2), false],
    [
      '1 ms before the absolute limit',
      [...new Array<number>(23).fill(IDLE_LIFETIME_MS / 2), IDLE_LIFETIME_MS / 2 - 1],
      true,
    ],
    ['after the clock was set back a little', [-MINUTE_MS], true],
    ['after the clock was set back a lot', [-IDLE_LIFETIME_MS], false],
  ];
  for (const [name, stepsMs, alive] of rows) {
    it(`${name}: ${alive ? 'alive' : 'over'}`, async () => {
      const world = worldOf();
      const { token } = await world.sessions.open(ownerOf(world, 'ann'));
      let kind = '';
      for (const stepMs of stepsMs) {
        world.clock.nowMs += stepMs;
        kind = await kindOf(world.sessions, token);
      }
      assert.equal(kind, alive ? 'user' : 'nobody');
    });
  }

  it('is written down at most once a minute', async () => {
    const world = worldOf();
    const { token } = await world.sessions.open(ownerOf(world, null));
    for (let seconds = 0; seconds < 180; seconds += 1) {
      await world.sessions.resolve(token);
      world.clock.nowMs += 1000;
    }
    assert.deepEqual(
      world.touched.map((lastSeenAt) => lastSeenAt - START_MS),
      [MINUTE_MS, 2 * MINUTE_MS],
    );
  });

  it('does not go on for ever because a stored time is none', async () => {
    const world = worldOf();
    const { token, session } = await world.sessions.open(ownerOf(world, null));
    for (const change of [
      { createdAt: Number.NaN },
      { lastSeenAt: Number.NaN },
      { createdAt: 9e15 },
      { lastSeenAt: 9e15 },
    ]) {
      await world.store.put({ ...session, ...change });
      assert.equal(await world.sessions.resolve(token), null);
    }
  });

  it('holds for any way of use', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 2 * IDLE_LIFETIME_MS }), { maxLength: 40 }),
        async (steps) => {
          const world = worldOf();
          const { token } = await world.sessions.open(ownerOf(world, null));
          let alive = true;
          for (const stepMs of steps) {
            world.clock.nowMs += stepMs;
            const age = world.clock.nowMs - START_MS;
            const resolved = await world.sessions.resolve(token);
            // Touched at most a minute late, so the idle limit may come a minute early, never late.
            if (stepMs >= IDLE_LIFETIME_MS || age >= ABSOLUTE_LIFETIME_MS) alive = false;
            else if (stepMs > IDLE_LIFETIME_MS - MINUTE_MS) alive &&= resolved !== null;
            assert.equal(resolved !== null, alive);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('ending sessions', () => {
  async function four(world: World): Promise<string[]> {
    const tokens: string[] = [];
    for (const userId of [null, 'ann', 'ann', 'ben'])
      tokens.push((await world.sessions.open(ownerOf(world, userId))).token);
    return tokens;
  }
  type Row = readonly [
    name: string,
    end: (world: World, digests: readonly string[]) => Promise<void>,
    left: string,
  ];
  const rows: readonly Row[] = [
    [
      "end() of one of ann's",
      async ({ sessions, store }, [, digest = '']) => {
        const session = await store.get(digest);
        if (session !== undefined) await sessions.end(session);
      },
      'admin - user user',
    ],
    ["endAll() of ann's", ({ sessions }) => sessions.endAll('ann'), 'admin - - user'],
    [
      "endAll() of ann's but one",
      ({ sessions }, [, , digest]) => sessions.endAll('ann', digest),
      'admin - user user',
    ],
    ["endAll() of the admin's", ({ sessions }) => sessions.endAll(null), '- user user user'],
    ['endAll() of nobody', ({ sessions }) => sessions.endAll('zoe'), 'admin user user user'],
    ['endEverybody()', ({ sessions }) => sessions.endEverybody(), '- - - -'],
    ['endEverybody() but one', ({ sessions }, [digest]) => sessions.endEverybody(digest), 'admin - - -'],
    ['prune() while all are good', ({ sessions }) => sessions.prune(), 'admin user user user'],
    [
      "prune() after the admin's password changed",
      async ({ sessions, admin }) => {
        admin.fingerprint = 'another';
        await sessions.prune();
        admin.fingerprint = 'admin fingerprint';
      },
      '- user user user',
    ],
  ];
  for (const [name, end, left] of rows) {
    it(name, async () => {
      const world = worldOf();
      const tokens = await four(world);
      await end(
        world,
        tokens.map((token) => createHash('sha256').update(token).digest('hex')),
      );
      const kinds = await Promise.all(tokens.map((token) => kindOf(world.sessions, token)));
      assert.equal(kinds.join(' ').replaceAll('nobody', '-'), left);
    });
  }

  it('rebind() keeps the session in which the password was changed, and only that', async () => {
    const world = worldOf();
    const own = await world.sessions.open(ownerOf(world, 'ann'));
    const other = await world.sessions.open(ownerOf(world, 'ann'));
    world.users.set('ann', { ...userOf('ann'), passwordHash: 'new' });
    await world.sessions.rebind(own.session, userFingerprint('new'));
    assert.equal(await kindOf(world.sessions, own.token), 'user');
    assert.equal(await kindOf(world.sessions, other.token), 'nobody');
  });
});

describe('the number of sessions of an account', () => {
  it('is bounded; the one that rested longest goes, other accounts stay', async () => {
    const world = worldOf(3);
    const ben = await world.sessions.open(ownerOf(world, 'ben'));
    const tokens: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      world.clock.nowMs += MINUTE_MS;
      tokens.push((await world.sessions.open(ownerOf(world, 'ann'))).token);
    }
    world.clock.nowMs += MINUTE_MS;
    await world.sessions.resolve(tokens[0] ?? '');
    tokens.push((await world.sessions.open(ownerOf(world, 'ann'))).token);
    const kinds = await Promise.all(tokens.map((token) => kindOf(world.sessions, token)));
    assert.deepEqual(kinds, ['user', 'nobody', 'user', 'user']);
    assert.equal(await kindOf(world.sessions, ben.token), 'user');
  });

  it('is 50 where nothing else is said, also when all are opened at once', async () => {
    const world = worldOf();
    await Promise.all(Array.from({ length: 70 }, () => world.sessions.open(ownerOf(world, null))));
    const last = await world.sessions.open(ownerOf(world, null));
    assert.equal(await countOf(world.store), 50);
    assert.equal(await kindOf(world.sessions, last.token), 'admin');
  });

  it('does not count what is over, which goes along', async () => {
    const world = worldOf(2);
    await world.sessions.open(ownerOf(world, 'ann'));
    await world.sessions.open(ownerOf(world, 'ben'));
    world.clock.nowMs += IDLE_LIFETIME_MS;
    await world.sessions.open(ownerOf(world, 'ann'));
    assert.equal(await countOf(world.store), 1);
  });
});
