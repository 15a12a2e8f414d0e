import { HttpError } from '../../errors.ts';
import { isRecord, parseJson } from '../../json/value.ts';
import type { Steps } from '../../turns.ts';
import type { HistoryCall, Part } from '../chat-parts.ts';
import { toChatName } from '../chat-tools.ts';
import { Conversation } from '../conversation.ts';
import { readParts, splitOutput, textOf } from './content.ts';
import { nothingStored } from './nothing-stored.ts';
import type { ToolSet } from './tools.ts';

type Item = Record<string, unknown>;

/** A text stands for one message of the user. @throws HttpError for no input, for an input that is no list, and for items that are none. */
export function readItems(input: unknown): readonly Item[] {
  if (input === undefined || input === null)
    throw new HttpError('missing_required_parameter', 'You must provide `input`.', { param: 'input' });
  if (typeof input === 'string') {
    if (input.trim() === '') throw invalidInput('`input` must not be empty.');
    return [{ role: 'user', content: input }];
  }
  if (!Array.isArray(input)) throw invalidInput('`input` must be a text or a list of items.');
  if (input.length === 0) throw invalidInput('`input` must not be empty.');
  for (const item of input)
    if (!isRecord(item)) throw invalidInput('Each item of `input` must be an object.');
  return input;
}

/** The lists of tools that stand among the items of an input. */
export function toolsInItems(items: readonly Item[]): unknown[] {
  return items
    .filter(({ type }) => type === 'additional_tools' || type === 'tool_search_output')
    .map(({ tools }) => (Array.isArray(tools) ? tools : []));
}

/** A conversation from the instructions and the items of a request. @throws HttpError for what nothing is stored for. */
export function* readConversation(
  instructions: string | null,
  items: readonly Item[],
  tools: ToolSet,
): Steps<Conversation> {
  const reader = new ItemReader(tools);
  if (instructions !== null) reader.conversation.system(instructions);
  for (const item of items) {
    yield;
    reader.read(item);
  }
  return reader.conversation;
}

const SYSTEM_ROLES: readonly unknown[] = ['system', 'developer'];
const CALLS: readonly unknown[] = [
  'function_call',
  'custom_tool_call',
  'tool_search_call',
  'local_shell_call',
];
const OUTPUTS: readonly unknown[] = [
  'function_call_output',
  'custom_tool_call_output',
  'tool_search_output',
  'local_shell_call_output',
];

/**
 * Reads items in their order. An item of an unknown type is left out: refusing it would block the conversation for good, because
 * clients send their whole history with every request.
 */
class ItemReader {
  readonly conversation = new Conversation();
  readonly #tools: ToolSet;
  /** Of the assistant's next message or call. */
  #reasoning: string[] = [];
  /** A call belongs to the turn that the items before it began. */
  #isInTurn = false;

  constructor(tools: ToolSet) {
    this.#tools = tools;
  }

  read(item: Item): void {
    const { type } = item;
    if (type === 'message' || (type === undefined && 'role' in item)) this.#readMessage(item);
    else if (type === 'reasoning') this.#reasoning.push(reasoningText(item));
    else if (CALLS.includes(type)) this.#readCall(item);
    else if (OUTPUTS.includes(type)) this.#readOutput(item);
    else if (type === 'agent_message') this.#addUser([{ kind: 'text', text: textOf(item['content']) }]);
    else if (type === 'item_reference') throw nothingStored('Items of the type `item_reference`');
  }

  #readMessage({ role, content }: Item): void {
    if (role === 'assistant') {
      const text = textOf(content);
      if (text.trim() === '') return;
      this.conversation.assistant({ text, reasoning: this.#takeReasoning(), calls: [] });
      this.#isInTurn = true;
      return;
    }
    if (SYSTEM_ROLES.includes(role)) {
      this.conversation.system(textOf(content));
      this.#isInTurn = false;
    } else if (role === 'user') this.#addUser(readParts(content));
    else throw invalidInput('The `role` of a message must be user, assistant, system or developer.');
  }

  #addUser(parts: readonly Part[]): void {
    this.#reasoning = [];
    this.#isInTurn = false;
    this.conversation.user([], parts);
  }

  #readCall(item: Item): void {
    const call = this.#toCall(item);
    if (call === null) return;
    const turn = { text: '', reasoning: this.#takeReasoning(), calls: [call] };
    this.conversation.assistant(turn, this.#isInTurn);
    this.#isInTurn = true;
  }

  #toCall(item: Item): HistoryCall | null {
    const id = callIdOf(item);
    if (id === null) return null;
    const { type, name, namespace } = item;
    if (type === 'local_shell_call')
      return { id, name: 'local_shell', arguments: objectJson(item['action']) };
    if (type === 'tool_search_call')
      return {
        id,
        name: this.#tools.search?.chatName ?? 'tool_search',
        arguments: objectJson(item['arguments']),
      };
    const called = typeof name === 'string' ? name : '';
    const space = typeof namespace === 'string' ? namespace : null;
    const chatName = this.#tools.find(called, space)?.chatName ?? toChatName(called);
    const input = item['input'];
    if (type === 'custom_tool_call')
      return {
        id,
        name: chatName,
        arguments: JSON.stringify({ input: typeof input === 'string' ? input : '' }),
      };
    return { id, name: chatName, arguments: objectJson(item['arguments']) };
  }

  #readOutput(item: Item): void {
    const callId = callIdOf(item);
    if (callId === null) return;
    const found = item['type'] === 'tool_search_output' ? this.#foundTools(item['tools']) : null;
    const output = found === null ? splitOutput(item['output']) : { text: found, media: [] };
    this.conversation.user([{ callId, ...output }], []);
    this.#isInTurn = false;
  }

  #foundTools(tools: unknown): string {
    const names = namesOf(tools, null, this.#tools);
    return names.length === 0 ? 'No tools were found.' : `These tools can be called now: ${names.join(', ')}`;
  }

  #takeReasoning(): string {
    const texts = this.#reasoning.filter((text) => text !== '');
    this.#reasoning = [];
    return texts.join('\n\n');
  }
}

function namesOf(list: unknown, namespace: string | null, tools: ToolSet): string[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).flatMap((tool) => {
    const name = typeof tool['name'] === 'string' ? tool['name'] : '';
    if (tool['type'] === 'namespace') return namesOf(tool['tools'], name, tools);
    return tools.find(name, namespace)?.chatName ?? [];
  });
}

/** null for a call that a server made: nobody waits for its result. */
function callIdOf({ call_id: callId, id, type }: Item): string | null {
  if (typeof callId === 'string' && callId !== '') return callId;
  const isShell = type === 'local_shell_call' || type === 'local_shell_call_output';
  return isShell && typeof id === 'string' && id !== '' ? id : null;
}

/** Clients send text back as they got it, in `summary` or in `content`, which may be null. */
function reasoningText({ summary, content }: Item): string {
  return textOf(content) || textOf(summary);
}

/**
 * The JSON of arguments. Providers that parse them refuse a conversation in which they are no object, so a text that a model
 * wrote by mistake becomes one.
 */
function objectJson(value: unknown): string {
  if (isRecord(value)) return JSON.stringify(value);
  if (typeof value !== 'string' || value.trim() === '') return '{}';
  return isRecord(parseJson(value)) ? value : JSON.stringify({ input: value });
}

function invalidInput(message: string): HttpError {
  return new HttpError('invalid_value', message, { param: 'input' });
}
