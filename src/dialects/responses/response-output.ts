import {
  type EventSender,
  FunctionCallItem,
  type ItemPlace,
  type ItemStatus,
  MessageItem,
  type OpenItem,
  ReasoningItem,
  sendCustomCall,
  sendSearchCall,
} from './output-items.ts';
import type { ClientTool } from './tools.ts';

export interface ResponseOutputOptions {
  readonly sender: EventSender;
  /** A random text, for ids. */
  readonly newId: () => string;
  /** The client's tool that a model called; undefined: it was not offered. */
  readonly toolOf: (chatName: string) => ClientTool | undefined;
}

/** A call whose arguments are still to come. */
interface OpenCall {
  readonly id: string;
  readonly name: string;
  readonly tool: ClientTool | undefined;
  /** null: it is sent when it is complete. */
  readonly item: FunctionCallItem | null;
}

/** The output of a response, item after item. At most one is open. */
export class ResponseOutput {
  readonly #options: ResponseOutputOptions;
  readonly #items: object[] = [];
  #open: OpenItem | null = null;
  #call: OpenCall | null = null;

  constructor(options: ResponseOutputOptions) {
    this.#options = options;
  }

  /** All items, the open one as far as it is written. */
  get items(): readonly object[] {
    return this.#open === null ? this.#items : [...this.#items, this.#open.unfinished()];
  }

  reasoning(text: string): void {
    const item = this.#open instanceof ReasoningItem ? this.#open : this.#begin(ReasoningItem, 'rs');
    item.add(text);
  }

  message(kind: 'text' | 'refusal', text: string, logprobs: readonly unknown[]): void {
    const item = this.#open instanceof MessageItem ? this.#open : this.#begin(MessageItem, 'msg');
    item.add(kind, text, logprobs);
  }

  beginCall(id: string, name: string): void {
    this.close('completed');
    const tool = this.#options.toolOf(name);
    const isStreamed = tool === undefined || tool.kind === 'function';
    const item = isStreamed ? new FunctionCallItem(this.#place('fc'), { callId: id, tool, name }) : null;
    this.#open = item;
    this.#call = { id, name, tool, item };
  }

  callArguments(text: string): void {
    this.#call?.item?.add(text);
  }

  /** Ends the open call. @param isCut its arguments are not complete */
  endCall(text: string, isCut: boolean): void {
    const call = this.#call;
    this.#call = null;
    if (call === null) return;
    const { id, tool, item } = call;
    if (item !== null) this.close(isCut ? 'incomplete' : 'completed');
    else if (isCut) return;
    else if (tool?.kind === 'custom') this.#items.push(sendCustomCall(this.#place('ctc'), id, tool, text));
    else this.#items.push(sendSearchCall(this.#place('tsc'), id, text));
  }

  /** Forgets the open call, of which nothing was sent. */
  dropCall(): void {
    this.#call = null;
    this.#open = null;
  }

  /** Ends the open item, if there is one. */
  close(status: ItemStatus): void {
    const open = this.#open;
    this.#open = null;
    if (open !== null) this.#items.push(open.close(status));
  }

  #begin<Item extends OpenItem>(kind: new (place: ItemPlace) => Item, prefix: string): Item {
    this.close('completed');
    const item = new kind(this.#place(prefix));
    this.#open = item;
    return item;
  }

  #place(prefix: string): ItemPlace {
    const { sender, newId } = this.#options;
    return { sender, id: `${prefix}_${newId()}`, outputIndex: this.#items.length };
  }
}
