/** One step of a path: a member or an array element, and the steps from there on. */
export interface PatternNode {
  /** The member's name in ASCII, as in the pattern. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly members: PatternNode[];
  /** True if the letter case of members' names is ignored: at the top level, and below the paths in `folding`. */
  foldsNames: boolean;
  /** The step to every element, if the value is an array. */
  each: PatternNode | null;
  /** The pattern that ends here. */
  pattern: string | null;
  /** All patterns that lead through this step or end at it. */
  readonly patterns: string[];
  /** The serial number of the array or object that last opened at this step; never are two of them open. */
  serial: number;
  /** The serial number of the object that this member was last seen in. */
  seenIn: number;
  /** The serial number of the scan that last reported this member as ambiguous. */
  reportedIn: number;
}

/** Compiled patterns, for any number of scans, one at a time. */
export interface JsonPatterns {
  readonly root: PatternNode;
  /** The arguments of `compilePatterns`. */
  readonly paths: readonly string[];
  readonly folding: readonly string[];
  readonly listsMembers: boolean;
  /** The latest serial number of a scan or an object. */
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
 * Compiles paths for `scanJson`: member names joined by dots, `*` for every element of an array, such as
 * `messages.*.content.*.image_url`. Directly below the paths in `folding`, as at the top level, the letter case of names is
 * ignored.
 * @param listsMembers scans also list all members of the outermost object
 * @throws RangeError for a step that is empty, longer than 64 characters or not in printable ASCII.
 * @example scanJson(bytes, compilePatterns(['model', 'messages.*.content']))
 */
export function compilePatterns(
  paths: readonly string[],
  folding: readonly string[] = [],
  { listsMembers = false }: { readonly listsMembers?: boolean } = {},
): JsonPatterns {
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
  return { root, paths, folding, listsMembers, serial: 0 };
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
