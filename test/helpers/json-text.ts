import fc from 'fast-check';

/** A JSON value as a tree that keeps what `JSON.parse` drops: the order and repetition of names, and raw tokens. */
export type JsonTree =
  | { readonly type: 'raw'; readonly text: string }
  | { readonly type: 'array'; readonly items: readonly JsonTree[] }
  | { readonly type: 'object'; readonly members: readonly JsonTreeMember[] };

export interface JsonTreeMember {
  readonly name: string;
  /** The name as it stands in the text, quotes and escapes included. */
  readonly rawName: string;
  readonly value: JsonTree;
}

const whitespace = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

/** A JSON string in its quotes: characters as they are, short escapes, \u escapes (surrogates too, alone or paired). */
function rawString(text: string): fc.Arbitrary<string> {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return fc.infiniteStream(fc.integer({ min: 0, max: 5 })).map((choices) => {
    const raw = units.map((unit, at) =>
      choices.next().value === 0 ? escapeUnit(unit) : plainUnit(text, at),
    );
    return `"${raw.join('')}"`;
  });
}

function escapeUnit(unit: number): string {
  const hex = unit.toString(16).padStart(4, '0');
  return `\\u${unit % 2 === 0 ? hex : hex.toUpperCase()}`;
}

/** One UTF-16 unit as JSON.stringify writes it; half of a pair is escaped, for alone it has no UTF-8. */
function plainUnit(text: string, at: number): string {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xe000 ? escapeUnit(unit) : JSON.stringify(text[at]).slice(1, -1);
}

const textContent = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 90, minLength: 40 }),
  fc.constantFrom('"model":"x"', '\\', '/', '\ud800', '😀', '\u0000', '{"model":1}', 'é'.repeat(30)),
);

const number = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1e400',
    '-1E-400',
    '0.10',
    '1e+9',
    '123456789012345678901234567890',
    '-1.5e-07',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
);

const raw = fc
  .oneof(textContent.chain(rawString), number, fc.constantFrom('true', 'false', 'null'))
  .map((text) => ({ type: 'raw' as const, text }));

function member(value: fc.Arbitrary<JsonTree>, names: readonly string[]): fc.Arbitrary<JsonTreeMember> {
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: textContent },
  );
  return name.chain((text) => fc.record({ name: fc.constant(text), rawName: rawString(text), value }));
}

/** Trees in which names come mostly from a list and may repeat. */
export function jsonTree(names: readonly string[]): fc.Arbitrary<JsonTree> {
  const { tree } = fc.letrec<{ tree: JsonTree; array: JsonTree; object: JsonTree }>((tie) => ({
    tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, raw, tie('object'), tie('array')),
    array: fc.array(tie('tree'), { maxLength: 4 }).map((items) => ({ type: 'array' as const, items })),
    object: fc
      .array(member(tie('tree'), names), { maxLength: 6 })
      .map((members) => ({ type: 'object' as const, members })),
  }));
  return tree;
}

/** Trees that are objects. */
export function jsonObjectTree(names: readonly string[]): fc.Arbitrary<JsonTree & { type: 'object' }> {
  return fc
    .array(member(jsonTree(names), names), { maxLength: 6 })
    .map((members) => ({ type: 'object' as const, members }));
}

/** Writes a tree with white space from `space` between all tokens. */
function printTree(tree: JsonTree, space: () => string): string {
  if (tree.type === 'raw') return space() + tree.text + space();
  if (tree.type === 'array') {
    const items = tree.items.map((item) => printTree(item, space)).join(',');
    return `${space()}[${items || space()}]${space()}`;
  }
  const members = tree.members.map(
    ({ rawName, value }) => `${space()}${rawName}${space()}:${printTree(value, space)}`,
  );
  return `${space()}{${members.join(',') || space()}}${space()}`;
}

/** JSON texts of generated trees, together with the tree. */
export function jsonText<T extends JsonTree>(
  trees: fc.Arbitrary<T>,
): fc.Arbitrary<{ tree: T; body: Buffer }> {
  return fc
    .record({ tree: trees, spaces: fc.oneof(fc.constant(undefined), fc.infiniteStream(whitespace)) })
    .map(({ tree, spaces }) => {
      const text = printTree(tree, () => (spaces === undefined ? '' : String(spaces.next().value)));
      return { tree, body: Buffer.from(text) };
    });
}

/** Changes a body in one to three places: a byte flipped, left out, put in or doubled. */
export function mutated(bodies: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const byte = fc.oneof(
    fc.constantFrom(...Buffer.from('{}[]:,"\\/u0123456789-+.eEtrufalsn \t\r\n')),
    fc.integer({ min: 0, max: 255 }),
  );
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.constantFrom('set', 'delete', 'insert', 'cut'),
    byte,
  });
  return fc.record({ body: bodies, changes: fc.array(change, { minLength: 1, maxLength: 3 }) }).map((input) =>
    input.changes.reduce((body, { at, kind, byte: value }) => {
      const index = Math.floor(at * body.length);
      const head = body.subarray(0, index);
      if (kind === 'cut') return Buffer.from(head);
      const put = kind === 'delete' ? [] : [value];
      return Buffer.concat([head, Buffer.from(put), body.subarray(kind === 'insert' ? index : index + 1)]);
    }, input.body),
  );
}
