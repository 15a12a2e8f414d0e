import type { HttpError } from '../../errors.ts';
import type { ChatEvent } from '../chat-events.ts';
import { ChatReader } from '../chat-reader.ts';
import type { AnswerAbout, StreamRenderer } from '../dialect.ts';
import { typedRecord } from '../render-record.ts';
import { type MessagesAsked, newToolId } from './answer.ts';
import { failedStream } from './errors.ts';
import { messageObject, stopOf, usageOf } from './message.ts';

const PING = typedRecord({ type: 'ping' });

type BlockKind = 'thinking' | 'text' | 'tool_use';

/** The first and the last part of a delta, for each kind of block: between them stands the text as JSON. */
const DELTAS = {
  thinking: '"delta":{"type":"thinking_delta","thinking":',
  text: '"delta":{"type":"text_delta","text":',
  tool_use: '"delta":{"type":"input_json_delta","partial_json":',
} as const satisfies Record<BlockKind, string>;

/** Renders an answer as the event stream of the Messages API: blocks one after the other, numbered without gaps. */
export class MessagesStream implements StreamRenderer {
  readonly #modelId: string;
  readonly #ownNames: ReadonlyMap<string, string>;
  readonly #about: AnswerAbout;
  readonly #reader: ChatReader;
  #out = '';
  #hasBegun = false;
  /** The kind of the open block; null: none is open. */
  #block: BlockKind | null = null;
  #index = -1;
  /** How each delta of the open block begins. */
  #head = '';

  constructor({ modelId, callIds, ownNames }: MessagesAsked, about: AnswerAbout) {
    this.#modelId = modelId;
    this.#ownNames = ownNames;
    this.#about = about;
    this.#reader = new ChatReader({
      emit: (event) => this.#take(event),
      callIds,
      newCallId: () => newToolId(about),
      promptTokens: about.promptTokens,
    });
  }

  get heldBytes(): number {
    return this.#reader.heldChars;
  }

  push(chunk: Readonly<Record<string, unknown>>): string {
    this.#begin();
    this.#reader.push(chunk);
    return this.#flush();
  }

  end(): string {
    this.#begin();
    const end = this.#reader.end();
    this.#closeBlock();
    this.#out += typedRecord({
      type: 'message_delta',
      delta: { ...stopOf(end), container: null },
      usage: usageOf(end.usage),
    });
    this.#out += typedRecord({ type: 'message_stop' });
    return this.#flush();
  }

  fail(error: HttpError): string {
    return this.#flush() + failedStream(error, this.#about.requestId);
  }

  keepAlive(): string {
    this.#begin();
    return this.#flush() + PING;
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const head = { id: this.#about.newId(), model: this.#modelId, usage: this.#reader.usage() };
    this.#out += typedRecord({ type: 'message_start', message: messageObject(head, [], null) });
  }

  #take(event: ChatEvent): void {
    switch (event.kind) {
      case 'reasoning':
        this.#openFor('thinking', { type: 'thinking', thinking: '', signature: '' });
        this.#delta(event.text);
        break;
      case 'text':
      case 'refusal':
        this.#openFor('text', { type: 'text', text: '', citations: null });
        this.#delta(event.text);
        break;
      case 'call': {
        const name = this.#ownNames.get(event.name) ?? event.name;
        this.#openBlock('tool_use', {
          type: 'tool_use',
          id: event.id,
          name,
          input: {},
          caller: { type: 'direct' },
        });
        break;
      }
      case 'arguments':
        this.#delta(event.text);
        break;
      case 'call_end':
        this.#closeBlock();
    }
  }

  #openFor(kind: BlockKind, block: object): void {
    if (this.#block !== kind) this.#openBlock(kind, block);
  }

  #openBlock(kind: BlockKind, block: object): void {
    this.#closeBlock();
    this.#block = kind;
    this.#index += 1;
    this.#head = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#index},${DELTAS[kind]}`;
    this.#out += typedRecord({
      type: 'content_block_start',
      index: this.#index,
      content_block: block,
    });
  }

  #delta(text: string): void {
    this.#out += `${this.#head}${JSON.stringify(text)}}}\n\n`;
  }

  #closeBlock(): void {
    if (this.#block === null) return;
    this.#block = null;
    this.#out += typedRecord({ type: 'content_block_stop', index: this.#index });
  }

  #flush(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }
}
