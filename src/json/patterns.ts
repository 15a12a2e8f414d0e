/** One step of a path: the member or the array element that it leads to, and what is wanted from there on. */
export interface PatternNode {
  /** The member's name in ASCII, as in the pattern. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly members: PatternNode[];
  /** Whether members' names are also looked at in other letter cases: at the top level, and where it is asked for. */
  foldsNames: boolean;
  /** What is wanted of every element, where the value is an array. */
  each: PatternNode | null;
  /** The pattern that ends here. */
  pattern: string | null;
  /** All patterns that lead through this step or end at it. */
  readonly patterns: string[];
  /** The serial number of the array or object that last opened at this step; never two are open at once. */
  serial: number;
  /** The serial number of the object that this member was last seen in. */
  seenIn: number;
  /** The serial number of the scan that last reported this member as ambiguous. */
  reportedIn: number;
}

/** Patterns made ready for any number of scans, one at a time. */
export interface JsonPatterns {
  readonly root: PatternNode;
  /** What they were made of. */
  readonly paths: readonly string[];
  readonly folding: readonly string[];
  /** Serial numbers given out so far, to scans and to the objects in them. */
  serial: number;
}

/** The longest member name in a pattern, in characters. */
export const MAX_NAME_LENGTH = 64;

function createNode(name: string, foldsNames: boolean): PatternNode {
  return {
    name,
    bytes: new TextEncoder().encode(name),
    members: [],
    foldsNames,
    each: null,
    pattern: null,
    patterns: [],
    serial: 0,
    seenIn: 0,
    reportedIn: 0,
  };
}

/**
 * Makes paths ready for `scanJson`: member names joined by dots, `*` for every element of an array, e.g.
 * `messages.*.content.*.image_url`. `folding` names the paths below which, as at the top level, names count in other
 * letter cases too. Throws `RangeError` for a step that is empty, longer than 64 characters or not in printable ASCII.
 */
export function compilePatterns(paths: readonly string[], folding: readonly string[] = []): JsonPatterns {
  const root = createNode('', true);
  for (const path of paths) {
    let node = root;
    for (const step of path.split('.')) {
      node = stepFrom(node, step);
      if (!node.patterns.includes(path)) node.patterns.push(path);
    }
    node.pattern = path;
  }
  for (const path of folding) path.split('.').reduce(stepFrom, root).foldsNames = true;
  return { root, paths, folding, serial: 0 };
}

function stepFrom(node: PatternNode, step: string): PatternNode {
  return step === '*' ? elementNode(node) : memberNode(node, step);
}

function elementNode(parent: PatternNode): PatternNode {
  parent.each ??= createNode('*', false);
  return parent.each;
}

function memberNode(parent: PatternNode, name: string): PatternNode {
  if (!/^[!-~]+$/.test(name) || name.length > MAX_NAME_LENGTH) {
    throw new RangeError(`not a path step: ${JSON.stringify(name)}`);
  }
  const known = parent.members.find((member) => member.name === name);
  if (known !== undefined) return known;
  const node = createNode(name, false);
  parent.members.push(node);
  return node;
}
