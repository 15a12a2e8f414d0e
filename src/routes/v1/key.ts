import { sendJson } from '../../http/reply.ts';
import { keyOf, type LimitedOwner, userOf } from '../../limits/owner.ts';
import { MASTER_NAME, type Principal, type User } from '../../store/entities.ts';
import type { Context, Handler } from '../context.ts';
import type { Services } from '../services.ts';

/** The admin's session is no key: nothing is counted for it. */
const ADMIN: LimitedOwner = { id: '', limits: null };

/** What the caller's key, or the session's user, may do and has used. */
export function describeOwnKey({ budgets }: Pick<Services, 'budgets'>): Handler {
  return (context: Context) => {
    const { principal } = context;
    const described = { object: 'key', ...describe(principal) };
    if (principal.kind === 'user') {
      sendJson(context, 200, { ...described, usage: budgets.usageOf('user', principal.user), user: null });
      return;
    }
    const user = userOf(principal);
    sendJson(context, 200, {
      ...described,
      usage: budgets.usageOf('key', keyOf(principal) ?? ADMIN),
      user: user === null ? null : { limits: user.limits, usage: budgets.usageOf('user', user) },
    });
  };
}

interface Described {
  readonly name: string;
  /** null: all models. */
  readonly models: readonly string[] | null;
  readonly expiresAt: string | null;
  readonly limits: User['limits'];
}

function describe(principal: Principal): Described {
  if (principal.kind === 'key') {
    const { name, models, expiresAt, limits } = principal.key;
    return { name, models: models ?? principal.user?.models ?? null, expiresAt, limits };
  }
  if (principal.kind !== 'user') {
    const name = principal.kind === 'master' ? MASTER_NAME : 'Administrator';
    return { name, models: null, expiresAt: null, limits: null };
  }
  const { name, models, limits } = principal.user;
  return { name, models, expiresAt: null, limits };
}
