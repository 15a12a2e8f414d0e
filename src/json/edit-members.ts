import type { JsonMember, JsonScan } from './matches.ts';
import type { Patch } from './splice.ts';
import { COMMA, OPEN_BRACE } from './tokens.ts';

/** A JSON object as received, its scan with all its members, and the patches to apply to it. */
export interface PatchedObject {
  readonly bytes: Buffer;
  readonly scan: JsonScan;
  readonly patches: readonly Patch[];
}

/** Changes to the members of the outermost object, each named as the scan lists it. */
export interface MemberEdits {
  readonly removed: ReadonlySet<JsonMember>;
  /** The new names; a member that is removed needs none. */
  readonly renamed: ReadonlyMap<JsonMember, string>;
  /** Names and JSON values of members to add at the end. */
  readonly added: readonly (readonly [name: string, value: unknown])[];
}

/**
 * The patches of an object together with those for changes of its members. Patches inside a removed member are left out. All
 * removals of one object must come together, because a removed member takes a comma along.
 */
export function editMembers(object: PatchedObject, edits: MemberEdits): Patch[] {
  const removals = removalsOf(object, edits.removed);
  const patches = object.patches.filter((patch) => !isInside(patch, removals));
  patches.push(...removals);
  for (const [{ start, nameEnd }, name] of edits.renamed) {
    patches.push({ start, end: nameEnd, bytes: Buffer.from(JSON.stringify(name)) });
  }
  if (edits.added.length > 0) patches.push(additionTo(object, edits));
  return patches;
}

/** One patch for each run of removed members: with the comma behind it, or at the end of the object with the comma before it. */
function removalsOf({ bytes, scan }: PatchedObject, removed: ReadonlySet<JsonMember>): Patch[] {
  if (removed.size === 0) return [];
  const { members } = scan;
  const removals: Patch[] = [];
  let lastKept: JsonMember | undefined;
  let run: { start: number; end: number } | null = null;
  for (const member of members) {
    if (removed.has(member)) {
      run ??= { start: member.start, end: member.end };
      run.end = member.end;
      continue;
    }
    if (run !== null) removals.push(removal(run.start, bytes.indexOf(COMMA, run.end) + 1));
    run = null;
    lastKept = member;
  }
  if (run !== null) removals.push(removal(lastKept?.end ?? run.start, run.end));
  return removals;
}

const NOTHING = Buffer.alloc(0);

function removal(start: number, end: number): Patch {
  return { start, end, bytes: NOTHING };
}

/** True for a patch that changes bytes which one of the removals removes; those are in order. */
function isInside({ start, end }: Patch, removals: readonly Patch[]): boolean {
  let low = 0;
  let high = removals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((removals[middle] as Patch).start <= start) low = middle + 1;
    else high = middle;
  }
  const before = removals[low - 1];
  if (before === undefined || start >= before.end) return false;
  // What is inserted exactly where a removal begins stays.
  return start > before.start || end > start;
}

/** Adds members behind the last one that is kept. */
function additionTo({ bytes, scan: { members } }: PatchedObject, { removed, added }: MemberEdits): Patch {
  const lastKept = members.findLast((member) => !removed.has(member));
  const texts = added.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  if (lastKept !== undefined) return insertion(lastKept.end, `,${texts}`);
  return insertion(members[0]?.start ?? bytes.indexOf(OPEN_BRACE) + 1, texts);
}

function insertion(at: number, text: string): Patch {
  return { start: at, end: at, bytes: Buffer.from(text) };
}
