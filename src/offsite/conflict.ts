import type { Relation } from './document-facts.ts';

/** What to do about a snapshot that this instance must not replace: said where the server is running. */
export const CONFLICT_ADVICE =
  'Nothing more is written there until a restart, so that nothing is lost. Let one instance only use this SNAPSHOT_URL; to go on with the state of this one, move that snapshot away and restart, to go on with that one, move the database away and restart.';

/** What the relation means, as a sentence about the host. */
export function describeConflict(host: string, relation: Exclude<Relation, 'ours'>): string {
  const what: Record<Exclude<Relation, 'ours'>, string> = {
    foreign: 'holds the snapshot of another installation',
    'taken-over': 'holds a snapshot that another instance wrote since',
    newer: 'holds a snapshot that is newer than this database',
  };
  return `${host} ${what[relation]}`;
}
