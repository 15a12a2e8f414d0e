import { HttpError } from '../../errors.ts';
import { isRecord } from '../../json/value.ts';
import type { Steps } from '../../turns.ts';
import { hashedName, objectSchema, toChatName } from '../chat-tools.ts';

/** Tools that the client runs and for which chat has no equal. */
const REFUSED_TYPES: readonly unknown[] = ['local_shell', 'shell', 'apply_patch'];
/** Namespaces within namespaces, at most. */
const NAMESPACE_DEPTH = 8;

/** How a tool's calls look in the Responses API. */
export type ToolKind = 'function' | 'custom' | 'tool_search';

/** A tool that the client runs. */
export interface ClientTool {
  readonly kind: ToolKind;
  /** As the client named it; `tool_search` for the tool of that type, which has no name. */
  readonly name: string;
  /** The namespace it was declared in; null: none. */
  readonly namespace: string | null;
  /** Its name in the chat API, unique within the request. */
  readonly chatName: string;
  /** The tool in the form of the chat API. */
  readonly definition: Readonly<Record<string, unknown>>;
}

interface DeclaredTool extends Omit<ClientTool, 'chatName' | 'definition'> {
  /** `function` of the chat API without its name. */
  readonly declaration: Readonly<Record<string, unknown>>;
}

/**
 * The tools of a request, whichever part of it declares them; the first declaration of a name wins. Namespaces are flattened:
 * a tool keeps its own name where no other has it. Tools that OpenAI's servers run are left out.
 */
export class ToolSet {
  readonly #declared = new Map<string, DeclaredTool>();
  readonly #byChatName = new Map<string, ClientTool>();
  readonly #byName = new Map<string, ClientTool>();
  /** Other spellings that models make of a tool's name. */
  readonly #byAlias = new Map<string, ClientTool>();
  #search: ClientTool | undefined;

  /** @param lists of tools as the client sent them @throws HttpError `invalid_value`, `unsupported_parameter`. */
  static *read(lists: readonly unknown[]): Steps<ToolSet> {
    const tools = new ToolSet();
    for (const list of lists) yield* tools.#declareAll(list, null, 0);
    yield* tools.#name();
    return tools;
  }

  /** All tools in the order of their declaration. */
  get all(): readonly ClientTool[] {
    return [...this.#byChatName.values()];
  }

  /** The tool of a name in the request; undefined: none that the client runs. */
  find(name: string, namespace: string | null = null, kind?: ToolKind): ClientTool | undefined {
    const found = this.#byName.get(keyOf(name, namespace)) ?? this.#byChatName.get(name);
    return kind === undefined || found?.kind === kind ? found : undefined;
  }

  /** The tool of the type `tool_search`. */
  get search(): ClientTool | undefined {
    return this.#search;
  }

  /** The tool that a model called, by its chat name, or by the spellings that models make of a namespace. */
  called(chatName: string): ClientTool | undefined {
    return this.#byChatName.get(chatName) ?? this.#byAlias.get(chatName);
  }

  *#declareAll(list: unknown, namespace: string | null, depth: number): Steps<void> {
    if (list === undefined || list === null) return;
    if (!Array.isArray(list)) throw invalidTools('`tools` must be a list.');
    if (depth > NAMESPACE_DEPTH) throw invalidTools('The namespaces of `tools` are nested too deeply.');
    for (const tool of list) {
      yield;
      if (!isRecord(tool)) throw invalidTools('Each of `tools` must be an object.');
      if (tool['type'] === 'namespace') yield* this.#declareAll(tool['tools'], requireName(tool), depth + 1);
      else this.#declare(tool, namespace);
    }
  }

  #declare(tool: Record<string, unknown>, namespace: string | null): void {
    const { type } = tool;
    if (REFUSED_TYPES.includes(type)) {
      const message = `Tools of the type \`${String(type)}\` are not available for this model.`;
      throw new HttpError('unsupported_parameter', message, { param: 'tools' });
    }
    if (type === 'function') this.#add('function', requireName(tool), namespace, functionOf(tool));
    else if (type === 'custom') this.#add('custom', requireName(tool), namespace, customOf(tool));
    else if (type === 'tool_search' && tool['execution'] === 'client')
      this.#add('tool_search', 'tool_search', null, searchOf(tool));
  }

  #add(
    kind: ToolKind,
    name: string,
    namespace: string | null,
    declaration: Readonly<Record<string, unknown>>,
  ): void {
    const key = keyOf(name, namespace);
    if (!this.#declared.has(key)) this.#declared.set(key, { kind, name, namespace, declaration });
  }

  /** Gives every tool a name of its own in the chat API. */
  *#name(): Steps<void> {
    const uses = new Map<string, number>();
    for (const { name } of this.#declared.values()) uses.set(name, (uses.get(name) ?? 0) + 1);
    for (const [key, { declaration, ...tool }] of this.#declared) {
      yield;
      const { name, namespace } = tool;
      const wanted = namespace === null || uses.get(name) === 1 ? name : `${namespace}__${name}`;
      let chatName = toChatName(wanted);
      if (this.#byChatName.has(chatName)) chatName = hashedName(wanted, key);
      const definition = { type: 'function', function: { name: chatName, ...declaration } };
      const named = { ...tool, chatName, definition };
      this.#byChatName.set(chatName, named);
      this.#byName.set(key, named);
      if (tool.kind === 'tool_search') this.#search = named;
      for (const space of ['functions.', ...(namespace === null ? [] : [`${namespace}.`, `${namespace}__`])])
        this.#byAlias.set(`${space}${name}`, named);
    }
  }
}

function keyOf(name: string, namespace: string | null): string {
  return `${namespace ?? ''}\n${name}`;
}

function requireName({ name }: Record<string, unknown>): string {
  if (typeof name === 'string' && name !== '') return name;
  throw invalidTools('Each of `tools` must have a `name`.');
}

function functionOf({ description, parameters, strict }: Record<string, unknown>): Record<string, unknown> {
  return {
    ...describe(description),
    parameters: objectSchema(parameters),
    ...(strict === true ? { strict } : {}),
  };
}

/** A freeform tool becomes a function with one string; its grammar is explained in the description. */
function customOf({ description, format }: Record<string, unknown>): Record<string, unknown> {
  const grammar = isRecord(format) && typeof format['definition'] === 'string' ? format['definition'] : null;
  const syntax = isRecord(format) && typeof format['syntax'] === 'string' ? `${format['syntax']} ` : '';
  const rule = grammar === null ? null : `The input must follow this ${syntax}grammar:\n${grammar}`;
  const texts = [typeof description === 'string' ? description : '', rule ?? ''].filter(
    (text) => text !== '',
  );
  return {
    ...describe(texts.join('\n\n')),
    parameters: {
      type: 'object',
      properties: { input: { type: 'string', description: 'The raw input of the tool, as plain text.' } },
      required: ['input'],
    },
  };
}

const SEARCH_SCHEMA = { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] };

function searchOf({ description, parameters }: Record<string, unknown>): Record<string, unknown> {
  return {
    ...describe(description ?? 'Finds further tools. The tools that it finds can be called from then on.'),
    parameters: isRecord(parameters) ? objectSchema(parameters) : SEARCH_SCHEMA,
  };
}

function describe(description: unknown): { readonly description?: string } {
  return typeof description === 'string' && description !== '' ? { description } : {};
}

function invalidTools(message: string): HttpError {
  return new HttpError('invalid_value', message, { param: 'tools' });
}
