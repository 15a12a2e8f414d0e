import { isRecord, parseJson } from '../../json/value.ts';
import type { ChatEvent } from '../chat-events.ts';
import { ChatReader } from '../chat-reader.ts';
import type { AnswerAbout } from '../dialect.ts';
import { messageObject, stopOf } from './message.ts';

/** What a renderer of Messages needs of its request. */
export interface MessagesAsked {
  readonly modelId: string;
  /** Ids of calls that the conversation has used; those of the answer are added. */
  readonly callIds: Set<string>;
  /** The names of tools that the client knows, by the names that the provider got, where these differ. */
  readonly ownNames: ReadonlyMap<string, string>;
}

/** The id of a tool call. */
export function newToolId({ newId }: AnswerAbout): string {
  return `toolu_${newId()}`;
}

/** The whole message for a chat completion. @throws HttpError `upstream_invalid_response`. */
export function renderMessage(completion: unknown, asked: MessagesAsked, about: AnswerAbout): object {
  const blocks = new Blocks(asked.ownNames);
  const reader = new ChatReader({
    emit: (event) => blocks.take(event),
    callIds: asked.callIds,
    newCallId: () => newToolId(about),
    promptTokens: about.promptTokens,
  });
  reader.pushWhole(completion);
  const end = reader.end();
  const { content, isCut } = blocks.content(end.reason === 'length');
  const usage = end.usage;
  return messageObject({ id: about.newId(), model: asked.modelId, usage }, content, stopOf(end, isCut));
}

/** Collects the blocks of a message: thinking, then text, then calls. */
class Blocks {
  readonly #ownNames: ReadonlyMap<string, string>;
  #thinking = '';
  #text = '';
  readonly #calls: { readonly id: string; readonly name: string; arguments: string; isWhole: boolean }[] = [];

  constructor(ownNames: ReadonlyMap<string, string>) {
    this.#ownNames = ownNames;
  }

  take(event: ChatEvent): void {
    switch (event.kind) {
      case 'reasoning':
        this.#thinking += event.text;
        break;
      case 'text':
      case 'refusal':
        this.#text += event.text;
        break;
      case 'call':
        this.#calls.push({ id: event.id, name: event.name, arguments: '', isWhole: false });
        break;
      case 'call_end': {
        const call = this.#calls.at(-1);
        if (call !== undefined) Object.assign(call, { arguments: event.arguments, isWhole: event.isWhole });
      }
    }
  }

  /** @param isShort the answer was cut at its limit: a call that was cut is left out */
  content(isShort: boolean): { readonly content: readonly object[]; readonly isCut: boolean } {
    const calls = this.#calls.filter(({ isWhole }) => isWhole || !isShort);
    const content: object[] = [];
    if (this.#thinking !== '') content.push({ type: 'thinking', thinking: this.#thinking, signature: '' });
    if (this.#text !== '') content.push({ type: 'text', text: this.#text, citations: null });
    for (const { id, name, arguments: text } of calls) {
      const input = parseJson(text);
      content.push({
        type: 'tool_use',
        id,
        name: this.#ownNames.get(name) ?? name,
        input: isRecord(input) ? input : {},
        caller: { type: 'direct' },
      });
    }
    return { content, isCut: calls.some(({ isWhole }) => !isWhole) };
  }
}
