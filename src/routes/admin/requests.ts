import { createEntryNames } from '../../usage/entry-names.ts';
import type { Handler } from '../context.ts';
import { LiveFeed } from '../live-feed.ts';
import { readLogPage, readMatcher, viewEntry } from '../request-log.ts';
import { sendLogPage } from '../request-log-csv.ts';
import type { Services } from '../services.ts';

/** The latest requests of everybody. */
export function listRequests({ requestLog, store }: Services): Handler {
  const names = createEntryNames(store.config.view);
  return async (context) => {
    const { entries, next } = await readLogPage(context, { requestLog, names, ownUserId: null });
    sendLogPage(context, { data: entries.map((entry) => viewEntry(entry, names)), next }, 'admin');
  };
}

/** The requests of everybody as they end, as an event stream. */
export function liveRequests({ requestLog, store, lifecycle, sessions }: Services): Handler {
  const names = createEntryNames(store.config.view);
  const feed = new LiveFeed({
    requestLog,
    store,
    lifecycle,
    sessions,
    render: (entry) => JSON.stringify(viewEntry(entry, names)),
  });
  return (context) => feed.open(context, readMatcher(context.query, names).matches);
}
