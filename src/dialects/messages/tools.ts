import { HttpError } from '../../errors.ts';
import { isRecord } from '../../json/value.ts';
import type { Steps } from '../../turns.ts';
import { objectSchema, toChatName } from '../chat-tools.ts';
import { schemaOfTyped } from './typed-tools.ts';

/** Tools that Anthropic's servers run. */
const SERVER_TOOL = /^(web_search|web_fetch|code_execution|tool_search_tool|mcp_toolset|advisor)/;

interface Tool {
  readonly name: string;
  readonly description: string | null;
  readonly parameters: unknown;
  /** It is offered: false for a deferred tool that nothing has named yet, and for one that was removed. */
  isOffered: boolean;
}

/** The tools of a request, as its turns change them. */
export class ToolSet {
  readonly #tools = new Map<string, Tool>();
  /** The first tool that only Anthropic's servers could run. */
  #serverTool: string | null = null;
  /** The names that clients know, by the names that providers get, where these differ. */
  readonly #ownNames = new Map<string, string>();

  /** Adds a definition; the first of a name wins. @throws HttpError `invalid_value`. */
  define(definition: unknown, place: string): void {
    if (!isRecord(definition)) throw wrong(place, 'must be an object');
    const { type, name, input_schema: schema, defer_loading: isDeferred } = definition;
    const typed = typeof type === 'string' && type !== 'custom' ? type : null;
    const isServers =
      typed !== null && (SERVER_TOOL.test(typed) || (schema === undefined && schemaOfTyped(typed) === null));
    if (isServers) {
      this.#serverTool ??= typeof name === 'string' ? name : typed;
      return;
    }
    if (typeof name !== 'string' || name === '') throw wrong(`${place}.name`, 'Field required');
    if (this.#tools.has(name)) return;
    const own = typed === null ? null : schemaOfTyped(typed);
    const description = typeof definition['description'] === 'string' ? definition['description'] : null;
    this.#tools.set(name, {
      name,
      description: description ?? own?.description ?? null,
      parameters: objectSchema(schema ?? own?.parameters),
      isOffered: isDeferred !== true,
    });
  }

  /** A turn of the system adds a tool, or enables one that was deferred or removed. */
  add(tool: unknown): void {
    if (!isRecord(tool)) return;
    if (tool['type'] === 'tool_definition') {
      if (!isRecord(tool['definition']) || typeof tool['definition']['name'] !== 'string') return;
      this.define(tool['definition'], 'messages');
      this.enable(tool['definition']['name']);
    } else if (typeof tool['name'] === 'string') this.enable(tool['name']);
  }

  enable(name: string): void {
    this.#setOffered(name, true);
  }

  remove(tool: unknown): void {
    if (isRecord(tool) && typeof tool['name'] === 'string') this.#setOffered(tool['name'], false);
  }

  #setOffered(name: string, isOffered: boolean): void {
    const tool = this.#tools.get(name);
    if (tool !== undefined) tool.isOffered = isOffered;
  }

  /**
   * @throws HttpError `unsupported_parameter` if there are tools of Anthropic's servers alone: without them the model would
   * invent their results.
   */
  requireUsable(): void {
    if (this.#serverTool === null || this.#tools.size > 0) return;
    const message = `tools: This model has no server tool ${this.#serverTool}. Only tools that your client runs can be used.`;
    throw new HttpError('unsupported_parameter', message, { param: 'tools' });
  }

  /** `tools`, `tool_choice` and `parallel_tool_calls` of the chat request. @throws HttpError `invalid_value`. */
  toChat(choice: unknown): object {
    const offered = [...this.#tools.values()].filter(({ isOffered }) => isOffered);
    const wanted = this.#choiceOf(choice);
    if (offered.length === 0) return {};
    const isSerial = isRecord(choice) && choice['disable_parallel_tool_use'] === true;
    return {
      tools: offered.map((tool) => this.#toFunction(tool)),
      ...(wanted === null ? {} : { tool_choice: wanted }),
      ...(isSerial ? { parallel_tool_calls: false } : {}),
    };
  }

  /** The name that providers get for a tool. */
  sentName(name: string): string {
    const sent = toChatName(name);
    if (sent !== name) this.#ownNames.set(sent, name);
    return sent;
  }

  /** The names that clients know, by the names that providers get, where these differ. Complete after `toChat`. */
  get ownNames(): ReadonlyMap<string, string> {
    return this.#ownNames;
  }

  #toFunction({ name, description, parameters }: Tool): object {
    const called = {
      name: this.sentName(name),
      ...(description === null ? {} : { description }),
      parameters,
    };
    return { type: 'function', function: called };
  }

  #choiceOf(choice: unknown): string | object | null {
    if (!isRecord(choice)) return null;
    const { type, name } = choice;
    if (type === 'any') return 'required';
    if (type === 'auto' || type === 'none') return type;
    if (type !== 'tool' || typeof name !== 'string') return null;
    if (this.#tools.get(name)?.isOffered !== true)
      throw wrong('tool_choice', `There is no tool ${name} that can be used.`);
    return { type: 'function', function: { name: this.sentName(name) } };
  }
}

/** Adds the tools of a request to a set. @throws HttpError `invalid_value`. */
export function* readTools(tools: unknown, set: ToolSet): Steps<void> {
  if (tools === undefined || tools === null) return;
  if (!Array.isArray(tools)) throw wrong('tools', 'must be a list');
  for (const [index, tool] of tools.entries()) {
    yield;
    set.define(tool, `tools.${index}`);
  }
}

function wrong(place: string, what: string): HttpError {
  return new HttpError('invalid_value', `${place}: ${what}`, { param: place.split('.', 1)[0] ?? place });
}
