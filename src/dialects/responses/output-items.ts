import { isRecord, parseJson } from '../../json/value.ts';
import { rawInput } from './raw-input.ts';
import type { ClientTool } from './tools.ts';

/** Sends the events of a response. */
export interface EventSender {
  send(type: string, members: Readonly<Record<string, unknown>>): void;
  /** Nearly all events are deltas, so their other members are JSON already: `before` and `after` the delta. */
  sendDelta(type: string, before: string, delta: string, after: string): void;
}

export type ItemStatus = 'completed' | 'incomplete';

/** An item of a response's output that is still being written. */
export interface OpenItem {
  /** Sends the events that end the item. Returns it. */
  close(status: ItemStatus): object;
  /** The item as far as it is written. */
  unfinished(): object;
}

/** Where an item's events go, and what they have in common. */
export interface ItemPlace {
  readonly sender: EventSender;
  readonly id: string;
  readonly outputIndex: number;
}

/** Events of one item: all name it by its index, most by its id too. */
class ItemEvents {
  readonly #place: ItemPlace;
  readonly #names: string;

  constructor(place: ItemPlace) {
    this.#place = place;
    this.#names = `"item_id":${JSON.stringify(place.id)},"output_index":${place.outputIndex},`;
  }

  item(type: 'added' | 'done', item: object): void {
    const { sender, outputIndex } = this.#place;
    sender.send(`response.output_item.${type}`, { output_index: outputIndex, item });
  }

  send(type: string, members: Readonly<Record<string, unknown>>): void {
    const { sender, id, outputIndex } = this.#place;
    sender.send(`response.${type}`, { item_id: id, output_index: outputIndex, ...members });
  }

  /** @param before, after members around the delta, as JSON with their commas */
  delta(type: string, before: string, delta: string, after = ''): void {
    this.#place.sender.sendDelta(`response.${type}.delta`, this.#names + before, delta, after);
  }
}

/** The model's reasoning, as a summary: the one form that all clients read. */
export class ReasoningItem implements OpenItem {
  readonly #id: string;
  readonly #events: ItemEvents;
  #text = '';

  constructor(place: ItemPlace) {
    this.#id = place.id;
    this.#events = new ItemEvents(place);
    this.#events.item('added', { type: 'reasoning', id: this.#id, summary: [] });
    this.#events.send('reasoning_summary_part.added', { summary_index: 0, part: summaryText('') });
  }

  add(delta: string): void {
    this.#text += delta;
    this.#events.delta('reasoning_summary_text', '"summary_index":0,', delta);
  }

  close(): object {
    const item = this.unfinished();
    this.#events.send('reasoning_summary_text.done', { summary_index: 0, text: this.#text });
    this.#events.send('reasoning_summary_part.done', { summary_index: 0, part: summaryText(this.#text) });
    this.#events.item('done', item);
    return item;
  }

  unfinished(): object {
    return { type: 'reasoning', id: this.#id, summary: [summaryText(this.#text)] };
  }
}

function summaryText(text: string): object {
  return { type: 'summary_text', text };
}

type PartKind = 'text' | 'refusal';

/** A message of the model: parts of text and refusals. */
export class MessageItem implements OpenItem {
  readonly #id: string;
  readonly #events: ItemEvents;
  readonly #parts: object[] = [];
  #open: PartKind | null = null;
  #text = '';
  #logprobs: unknown[] = [];

  constructor(place: ItemPlace) {
    this.#id = place.id;
    this.#events = new ItemEvents(place);
    this.#events.item('added', this.#item('in_progress', []));
  }

  add(kind: PartKind, delta: string, logprobs: readonly unknown[]): void {
    if (this.#open !== kind) this.#begin(kind);
    this.#text += delta;
    const index = `"content_index":${this.#parts.length},`;
    if (kind === 'refusal') {
      this.#events.delta('refusal', index, delta);
      return;
    }
    for (const token of logprobs) this.#logprobs.push(token);
    const tokens = logprobs.length === 0 ? '[]' : JSON.stringify(logprobs);
    this.#events.delta('output_text', index, delta, `,"logprobs":${tokens}`);
  }

  close(status: ItemStatus): object {
    this.#end();
    const item = this.#item(status, this.#parts);
    this.#events.item('done', item);
    return item;
  }

  unfinished(): object {
    const open = this.#open === null ? [] : [this.#part(this.#open)];
    return this.#item('incomplete', [...this.#parts, ...open]);
  }

  #begin(kind: PartKind): void {
    this.#end();
    this.#open = kind;
    this.#events.send('content_part.added', { content_index: this.#parts.length, part: this.#part(kind) });
  }

  #end(): void {
    const kind = this.#open;
    if (kind === null) return;
    const index = { content_index: this.#parts.length };
    const part = this.#part(kind);
    if (kind === 'refusal') this.#events.send('refusal.done', { ...index, refusal: this.#text });
    else this.#events.send('output_text.done', { ...index, text: this.#text, logprobs: this.#logprobs });
    this.#events.send('content_part.done', { ...index, part });
    this.#parts.push(part);
    this.#open = null;
    this.#text = '';
    this.#logprobs = [];
  }

  #part(kind: PartKind): object {
    if (kind === 'refusal') return { type: 'refusal', refusal: this.#text };
    return { type: 'output_text', text: this.#text, annotations: [], logprobs: this.#logprobs };
  }

  #item(status: string, content: readonly object[]): object {
    return { type: 'message', id: this.#id, status, role: 'assistant', content };
  }
}

export interface FunctionCall {
  readonly callId: string;
  /** undefined: the model calls a function that it was not offered. */
  readonly tool: ClientTool | undefined;
  /** By which the model called it. */
  readonly name: string;
}

/** A call of a function. Its arguments are sent as they come. */
export class FunctionCallItem implements OpenItem {
  readonly #id: string;
  readonly #events: ItemEvents;
  readonly #call: Readonly<Record<string, unknown>>;
  readonly #name: string;
  #arguments = '';

  constructor(place: ItemPlace, { callId, tool, name }: FunctionCall) {
    this.#id = place.id;
    this.#events = new ItemEvents(place);
    this.#name = tool?.name ?? name;
    const namespace = tool?.namespace ?? null;
    this.#call = { call_id: callId, name: this.#name, ...(namespace === null ? {} : { namespace }) };
    this.#events.item('added', this.#item('in_progress'));
  }

  add(delta: string): void {
    this.#arguments += delta;
    this.#events.delta('function_call_arguments', '', delta);
  }

  close(status: ItemStatus): object {
    if (this.#arguments.trim() === '') this.add('{}');
    const item = this.#item(status);
    const done = { arguments: this.#arguments, name: this.#name };
    this.#events.send('function_call_arguments.done', done);
    this.#events.item('done', item);
    return item;
  }

  unfinished(): object {
    return this.#item('incomplete');
  }

  #item(status: string): object {
    return { type: 'function_call', id: this.#id, ...this.#call, arguments: this.#arguments, status };
  }
}

/** A call of a freeform tool. Its input is wrapped in JSON, so it is sent when the JSON is complete. */
export function sendCustomCall(place: ItemPlace, callId: string, tool: ClientTool, text: string): object {
  const { name, namespace } = tool;
  const call = { call_id: callId, name, ...(namespace === null ? {} : { namespace }) };
  const item = (input: string, status: string): object => {
    return { type: 'custom_tool_call', id: place.id, ...call, input, status };
  };
  const input = rawInput(text);
  const events = new ItemEvents(place);
  events.item('added', item('', 'in_progress'));
  if (input !== '') events.delta('custom_tool_call_input', '', input);
  events.send('custom_tool_call_input.done', { input });
  const done = item(input, 'completed');
  events.item('done', done);
  return done;
}

/** A call of the tool `tool_search`, whose arguments are an object. */
export function sendSearchCall(place: ItemPlace, callId: string, text: string): object {
  const value = parseJson(text);
  const item = (status: string): object => ({
    type: 'tool_search_call',
    id: place.id,
    call_id: callId,
    execution: 'client',
    arguments: isRecord(value) ? value : {},
    status,
  });
  const events = new ItemEvents(place);
  events.item('added', item('in_progress'));
  const done = item('completed');
  events.item('done', done);
  return done;
}
