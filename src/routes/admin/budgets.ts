import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import { requireEntity } from '../../store/changes.ts';
import { MASTER_ID, type OwnerKind } from '../../store/entities.ts';
import { LIMIT_RULES } from '../../store/limit-rules.ts';
import { toNanoUsd } from '../../usage/money.ts';
import { viewApiKeys } from '../api-key-records.ts';
import type { Context, Handler } from '../context.ts';
import { isBlank, wrong } from '../fields.ts';
import { type Fields, readFields } from '../json-body.ts';
import type { View } from '../resource.ts';
import type { Services } from '../services.ts';
import { viewUsers } from './users.ts';

/** Adds to the budget of a key or a user until its period ends. Answers with the key or user, once it is written. */
export function grantBudget(kind: OwnerKind, services: Services): Handler {
  return async (context) => {
    const fields = await readFields(context, services.budget);
    const usd = toAmount(fields, 'usd');
    const tokens = toAmount(fields, 'tokens');
    if (usd === 0 && tokens === 0) {
      const message = 'Give `usd`, `tokens` or both.';
      throw new HttpError('missing_required_parameter', message, { param: 'usd' });
    }
    const owner = findOwner(kind, context, services);
    await services.keptBudgets.grant(kind, owner, { nanoUsd: toNanoUsd(usd), tokens });
    await answerWith(kind, context, services);
  };
}

/** Starts the present period of a key's or a user's budget anew. Answers with the key or user, once it is written. */
export function resetUsage(kind: OwnerKind, services: Services): Handler {
  return async (context) => {
    await services.keptBudgets.reset(kind, findOwner(kind, context, services).id);
    await answerWith(kind, context, services);
  };
}

const RULES = { usd: LIMIT_RULES.budgetUsd, tokens: LIMIT_RULES.budgetTokens };

/** The amount of a grant; 0 where it is absent. @throws HttpError `invalid_value`. */
function toAmount(fields: Fields, name: keyof typeof RULES): number {
  const value = fields.get(name);
  if (isBlank(value)) return 0;
  if (!RULES[name].isRight(value)) throw wrong(name, `must be ${RULES[name].expected}`);
  return Number(value);
}

/** @throws HttpError `not_found`, `master_key_protected`. */
function findOwner(kind: OwnerKind, { params }: Context, { store }: Services) {
  const id = params.get('id') ?? '';
  if (kind === 'user') return requireEntity(store.config.view(), 'users', id);
  if (id === MASTER_ID) throw new HttpError('master_key_protected', 'The master key has no budget.');
  return requireEntity(store.config.view(), 'apiKeys', id);
}

async function answerWith(kind: OwnerKind, context: Context, services: Services): Promise<void> {
  const id = context.params.get('id') ?? '';
  const view = services.store.config.view();
  const [shown = {}]: readonly View[] =
    kind === 'user'
      ? viewUsers([requireEntity(view, 'users', id)], services)
      : await viewApiKeys([requireEntity(view, 'apiKeys', id)], services);
  sendJson(context, 200, shown);
}
