import { createEntryNames } from '../../usage/entry-names.ts';
import type { Handler } from '../context.ts';
import { readLogPage, viewOwnEntry } from '../request-log.ts';
import { sendLogPage } from '../request-log-csv.ts';
import type { Services } from '../services.ts';
import { signedInUser } from './me.ts';

/** The latest requests of the signed-in user: those of their keys and of their sessions. */
export function listOwnRequests({ requestLog, store }: Services): Handler {
  const names = createEntryNames(store.config.view);
  return async (context) => {
    const { user } = signedInUser(context.principal);
    const { entries, next } = await readLogPage(context, { requestLog, names, ownUserId: user.id });
    sendLogPage(context, { data: entries.map((entry) => viewOwnEntry(entry, names)), next }, 'user');
  };
}
