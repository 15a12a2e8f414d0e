import { createEntryNames } from '../../usage/entry-names.ts';
import type { Handler } from '../context.ts';
import { readLogPage, viewOwnEntry } from '../request-log.ts';
import { sendLogPage } from '../request-log-csv.ts';
import type { Services } from '../services.ts';
import { signedInUser } from './me.ts';
import { OwnTurns } from './own-turns.ts';

/** The latest requests of the signed-in user: those of their keys and of their sessions. */
export function listOwnRequests({ requestLog, store }: Services): Handler {
  const turns = new OwnTurns();
  const names = createEntryNames(store.config.view);
  return async (context) => {
    const { user } = signedInUser(context.principal);
    const options = { requestLog, names, ownUserId: user.id };
    const { entries, next } = await turns.run(user.id, () => readLogPage(context, options));
    sendLogPage(context, { data: entries.map((entry) => viewOwnEntry(entry, names)), next }, 'user');
  };
}
