import { editMembers, type MemberEdits, type PatchedObject } from '../json/edit-members.ts';
import { type JsonMember, readMemberName } from '../json/matches.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJson } from '../json/scan.ts';
import { type Patch, splice } from '../json/splice.ts';
import type { ModelOptions } from '../store/entities.ts';

type TokensField = NonNullable<ModelOptions['maxTokensField']>;

/** Fields that limit the tokens of an answer: of chat and completions, and of the Responses API. */
const LIMIT_FIELDS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const;

/**
 * The patches of a request's JSON body together with those for the options of its model, which hold for the bodies of all JSON
 * endpoints, not for forms. Only top-level fields change, in this order:
 * 1. `rename`, one entry after the other, then `maxTokensField`: a field that has the new name already wins. A field with the
 *    value null is there.
 * 2. `drop`, and with `reasoningEffort: false` the field `reasoning_effort`.
 * 3. `defaults`, for fields that are not there.
 *
 * A limit of the answer's tokens over `maxOutputTokens` becomes `maxOutputTokens`. Other options change nothing here: `pdf` and
 * `reasoningContent` are for translated protocols.
 * @example withModelOptions(body, { drop: ['top_k'], defaults: { temperature: 0 } })
 */
export function withModelOptions(body: PatchedObject, options: ModelOptions): readonly Patch[] {
  if (!changesRequests(options)) return body.patches;
  const fields = new Fields(body, namesIn(options));
  for (const [from, to] of Object.entries(options.rename ?? {})) fields.rename(from, to);
  const { maxTokensField } = options;
  if (maxTokensField !== undefined) fields.rename(otherThan(maxTokensField), maxTokensField);
  for (const name of options.drop ?? []) fields.drop(name);
  if (options.reasoningEffort === false) fields.drop('reasoning_effort');
  const added = defaultsFor(options).filter(([name]) => !fields.has(name));
  return [...editMembers(body, { ...fields.edits(), added }), ...limitPatches(body.bytes, fields, options)];
}

const LISTING = compilePatterns([], [], { listsMembers: true });

/** The fields of a request that is built here as a JSON object, with the options of its model. */
export function fieldsWithOptions(fields: Readonly<Record<string, unknown>>, options: ModelOptions): Buffer {
  const bytes = Buffer.from(JSON.stringify(fields));
  const body = { bytes, scan: scanJson(bytes, LISTING), patches: [] };
  return Buffer.concat(splice(bytes, withModelOptions(body, options)));
}

/** True if an option fills in, leaves out or renames this field, or gives another field its name. */
export function optionsName({ rename, drop, defaults }: ModelOptions, field: string): boolean {
  return (
    drop?.includes(field) === true ||
    (defaults !== undefined && Object.hasOwn(defaults, field)) ||
    (rename !== undefined && Object.entries(rename).flat().includes(field))
  );
}

/** True if some option can change a request; this check is all that a model without options costs. */
function changesRequests(options: ModelOptions): boolean {
  return (
    options.defaults !== undefined ||
    options.drop !== undefined ||
    options.rename !== undefined ||
    options.maxTokensField !== undefined ||
    options.maxOutputTokens !== undefined ||
    options.reasoningEffort === false
  );
}

function otherThan(field: TokensField): TokensField {
  return field === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
}

/** All names that the options speak of. */
function namesIn({ rename = {}, drop = [], defaults = {} }: ModelOptions): Set<string> {
  return new Set([
    ...Object.entries(rename).flat(),
    ...drop,
    ...Object.keys(defaults),
    ...LIMIT_FIELDS,
    'reasoning_effort',
  ]);
}

/** The defaults by the same rules as the client's fields: in the field that the model takes, and within its limit. */
function defaultsFor(options: ModelOptions): (readonly [string, unknown])[] {
  const { defaults = {}, maxTokensField, maxOutputTokens = Infinity } = options;
  const other = maxTokensField === undefined ? null : otherThan(maxTokensField);
  return Object.entries(defaults).flatMap(([name, value]) => {
    const field = name === other && maxTokensField !== undefined ? maxTokensField : name;
    if (field !== name && Object.hasOwn(defaults, field)) return [];
    const isOver = isLimitField(field) && typeof value === 'number' && value > maxOutputTokens;
    return [[field, isOver ? maxOutputTokens : value] as const];
  });
}

function isLimitField(name: string): boolean {
  return LIMIT_FIELDS.some((field) => field === name);
}

function limitPatches(bytes: Buffer, fields: Fields, { maxOutputTokens }: ModelOptions): Patch[] {
  if (maxOutputTokens === undefined) return [];
  const replacement = Buffer.from(String(maxOutputTokens));
  return LIMIT_FIELDS.flatMap((field) => fields.membersOf(field))
    .filter((member) => numberAt(bytes, member) > maxOutputTokens)
    .map(({ valueStart, end }) => ({ start: valueStart, end, bytes: replacement }));
}

/** The value of a member; NaN if it is not a number. */
function numberAt(bytes: Buffer, { valueStart, end }: JsonMember): number {
  const first = bytes[valueStart] as number;
  const isNumber = first === 0x2d || (first >= 0x30 && first <= 0x39);
  return isNumber ? Number(bytes.toString('latin1', valueStart, end)) : Number.NaN;
}

/** The most bytes that one UTF-16 unit of a name takes. */
const ESCAPE_BYTES = 6;

/** The fields of a body that options speak of, by their names so far. A repeated field has several members. */
class Fields {
  readonly #byName = new Map<string, JsonMember[]>();
  readonly #names = new Map<JsonMember, string>();
  readonly #removed = new Set<JsonMember>();

  constructor({ bytes, scan }: PatchedObject, names: ReadonlySet<string>) {
    const longest = Math.max(...[...names].map((name) => name.length));
    for (const member of scan.members) {
      if (member.nameEnd - member.start - 2 > longest * ESCAPE_BYTES) continue;
      const name = readMemberName(bytes, member);
      if (!names.has(name)) continue;
      this.#names.set(member, name);
      const same = this.#byName.get(name);
      if (same === undefined) this.#byName.set(name, [member]);
      else same.push(member);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  membersOf(name: string): readonly JsonMember[] {
    return this.#byName.get(name) ?? [];
  }

  rename(from: string, to: string): void {
    const members = this.#byName.get(from);
    if (members === undefined || from === to) return;
    if (this.has(to)) {
      this.drop(from);
      return;
    }
    this.#byName.delete(from);
    this.#byName.set(to, members);
  }

  drop(name: string): void {
    for (const member of this.membersOf(name)) this.#removed.add(member);
    this.#byName.delete(name);
  }

  edits(): Omit<MemberEdits, 'added'> {
    const renamed = new Map<JsonMember, string>();
    for (const [name, members] of this.#byName) {
      for (const member of members) if (this.#names.get(member) !== name) renamed.set(member, name);
    }
    return { removed: this.#removed, renamed };
  }
}
