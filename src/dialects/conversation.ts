import type { Steps } from '../turns.ts';
import { type HistoryCall, type Part, toChatContent } from './chat-parts.ts';
import type { ModelTraits } from './model-traits.ts';

/** Text and pictures that a tool returned. */
interface Result {
  text: string;
  readonly media: readonly Part[];
}

interface AnsweredCall extends HistoryCall {
  result: Result | null;
}

type Turn =
  | { readonly kind: 'user'; readonly parts: Part[] }
  | { readonly kind: 'assistant'; text: string; reasoning: string; readonly calls: AnsweredCall[] };

/** What a tool call gets as its result if the history has none. */
const ABORTED = 'aborted';
/**
 * What stands for reasoning that the history does not have: DeepSeek and Kimi refuse a call without any, and Kimi an empty one.
 */
const NO_REASONING = '.';

/**
 * Puts a conversation into the order that chat providers accept, whatever order a client's history has. Nothing is refused,
 * because a refused turn stays in the client's history and would block the conversation for good.
 * - The results of calls stand right after them, in the order of the calls. Pictures in results follow in a user message.
 * - A call without a result gets one; a result without a call becomes text of the user.
 * - System turns at the beginning join the system prompt. Later ones become text where they stand, because many chat templates
 *   allow one system message only, and because moving them would change the prompt that the provider has cached.
 */
export class Conversation {
  readonly #system: string[] = [];
  readonly #turns: Turn[] = [];
  /** Calls that wait for their result, by id, the first one last. Those of a later turn replace those of an earlier one. */
  readonly #open = new Map<string, AnsweredCall[]>();
  /** The last result of a turn that held nothing else. */
  #lastResult: Result | null = null;
  /** Texts of the system that came after an assistant turn, and stand before the next text of the user. */
  #held: string[] = [];

  /** Adds text to the system prompt, or where the conversation has begun, see above. Blank text is dropped. */
  system(text: string): void {
    if (text.trim() === '') return;
    const last = this.#turns.at(-1);
    if (last === undefined) this.#system.push(text);
    else if (this.#lastResult !== null) this.#lastResult.text = joined(this.#lastResult.text, text);
    else if (last.kind === 'user') last.parts.push({ kind: 'text', text });
    else this.#held.push(text);
  }

  /** Adds a turn of the user: the results of tools, and everything else. */
  user(results: readonly ToolResult[], parts: readonly Part[]): void {
    const own: Part[] = [];
    let lastResult: Result | null = null;
    for (const { callId, text, media } of results) {
      const call = this.#open.get(callId)?.pop();
      if (call === undefined) {
        own.push({ kind: 'text', text: `[Result of a tool] ${text}` });
        for (const part of media) own.push(part);
        continue;
      }
      lastResult = { text, media };
      call.result = lastResult;
    }
    for (const part of parts) own.push(part);
    if (own.length === 0) {
      if (lastResult !== null && this.#held.length === 0) this.#lastResult = lastResult;
      else this.#flushHeld();
      return;
    }
    this.#lastResult = null;
    const before = this.#held.map((text): Part => ({ kind: 'text', text }));
    this.#held = [];
    this.#turns.push({ kind: 'user', parts: [...before, ...own] });
  }

  /** Adds a turn of the model. Calls right after another turn of the model belong to that turn if `joins` is true. */
  assistant(
    {
      text,
      reasoning,
      calls,
    }: { readonly text: string; readonly reasoning: string; readonly calls: readonly HistoryCall[] },
    joins = false,
  ): void {
    this.#lastResult = null;
    this.#flushHeld();
    const open = calls.map(
      ({ id, name, arguments: text }): AnsweredCall => ({ id, name, arguments: text, result: null }),
    );
    for (const [id, sameId] of lastFirstById(open)) this.#open.set(id, sameId);
    const last = this.#turns.at(-1);
    if (joins && last?.kind === 'assistant') {
      last.text = joined(last.text, text);
      last.reasoning = joined(last.reasoning, reasoning);
      for (const call of open) last.calls.push(call);
    } else this.#turns.push({ kind: 'assistant', text, reasoning, calls: open });
  }

  /** The ids of all calls so far, to recognise an id that a provider uses again. */
  callIds(): Set<string> {
    const ids = new Set<string>();
    for (const turn of this.#turns) {
      if (turn.kind === 'assistant') for (const { id } of turn.calls) ids.add(id);
    }
    return ids;
  }

  /** True if the user sent files, apart from those that tools returned. */
  get hasUserFiles(): boolean {
    return this.#turns.some((turn) => turn.kind === 'user' && turn.parts.some(({ kind }) => kind === 'file'));
  }

  /** The chat messages for a target. */
  *toMessages(traits: ModelTraits): Steps<object[]> {
    const messages: object[] = [];
    if (this.#system.length > 0) messages.push({ role: 'system', content: this.#system.join('\n\n') });
    const held = this.#held.map((text): Part => ({ kind: 'text', text }));
    const turns: readonly Turn[] =
      held.length === 0 ? this.#turns : [...this.#turns, { kind: 'user', parts: held }];
    let media: readonly Part[] = [];
    for (const turn of turns) {
      yield;
      if (turn.kind === 'user') {
        pushUser(messages, [...media, ...turn.parts], traits);
        media = [];
        continue;
      }
      if (media.length > 0) pushUser(messages, media, traits);
      yield* pushAssistant(messages, turn, traits);
      media = turn.calls.flatMap(({ result }) => result?.media ?? []);
    }
    if (media.length > 0) pushUser(messages, media, traits);
    return messages;
  }

  #flushHeld(): void {
    if (this.#held.length === 0) return;
    this.#turns.push({ kind: 'user', parts: this.#held.map((text): Part => ({ kind: 'text', text })) });
    this.#held = [];
  }
}

/** The result of a tool call in the history. `media` are its pictures and documents. */
export interface ToolResult {
  readonly callId: string;
  readonly text: string;
  readonly media: readonly Part[];
}

function pushUser(messages: object[], parts: readonly Part[], traits: ModelTraits): void {
  const content = toChatContent(parts, traits);
  if (content !== null) messages.push({ role: 'user', content });
}

function* pushAssistant(
  messages: object[],
  { text, reasoning, calls }: Turn & { readonly kind: 'assistant' },
  { reasoningField }: ModelTraits,
): Steps<void> {
  if (text.trim() === '' && calls.length === 0) return;
  const isRequired = calls.length > 0 && reasoningField === 'reasoning_content';
  const thought = reasoning === '' && isRequired ? NO_REASONING : reasoning;
  messages.push({
    role: 'assistant',
    content: text.trim() === '' ? null : text,
    ...(reasoningField !== null && thought !== '' ? { [reasoningField]: thought } : {}),
    ...(calls.length > 0 ? { tool_calls: calls.map(toChatCall) } : {}),
  });
  for (const { id, result } of calls) {
    yield;
    messages.push({ role: 'tool', tool_call_id: id, content: result?.text ?? ABORTED });
  }
}

function toChatCall({ id, name, arguments: text }: AnsweredCall): object {
  return { id, type: 'function', function: { name, arguments: text } };
}

/** A history may have 100,000 calls of one turn, and all of them one id. */
function lastFirstById(calls: readonly AnsweredCall[]): Map<string, AnsweredCall[]> {
  const byId = new Map<string, AnsweredCall[]>();
  for (const call of [...calls].reverse()) {
    const sameId = byId.get(call.id);
    if (sameId === undefined) byId.set(call.id, [call]);
    else sameId.push(call);
  }
  return byId;
}

function joined(before: string, text: string): string {
  return before === '' || text === '' ? before + text : `${before}\n\n${text}`;
}
