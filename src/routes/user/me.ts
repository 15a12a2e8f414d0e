import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import type { Principal } from '../../store/entities.ts';
import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';
import { offeredModels } from '../v1/models.ts';

/** The user of a request to `/api/user`. The guard lets in nobody else. */
export function signedInUser(principal: Principal): Extract<Principal, { kind: 'user' }> {
  if (principal.kind === 'user') return principal;
  throw new HttpError('forbidden', 'This address is for users.');
}

/** The signed-in user, and the models they may use. */
export function userMe({ store, budgets }: Services): Handler {
  return (context) => {
    const principal = signedInUser(context.principal);
    const { id, username, name, limits } = principal.user;
    const models = offeredModels(store.config.view(), principal).map((model) => model.id);
    const usage = budgets.usageOf('user', principal.user);
    sendJson(context, 200, { id, username, name, role: 'user', models, limits, usage });
  };
}
