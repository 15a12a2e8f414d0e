import assert from 'node:assert/strict';
import { type Event, type Json, responseOf } from './rendering.ts';

const ENDS = ['response.completed', 'response.incomplete', 'response.failed'];
/** Texts that come in deltas, and the member of their end that repeats all of them. */
const TEXTS: Readonly<Record<string, string>> = {
  'response.output_text': 'text',
  'response.refusal': 'refusal',
  'response.reasoning_summary_text': 'text',
  'response.function_call_arguments': 'arguments',
  'response.custom_tool_call_input': 'input',
};
const PARTS = ['response.content_part', 'response.reasoning_summary_part'];

/** What a stream of events told. */
export interface Told {
  readonly items: readonly Json[];
  readonly end: Event;
  /** The error event before the end, if there is one. */
  readonly error: Event | null;
  readonly keepAlives: number;
}

/**
 * Follows a stream of events as the strictest clients do, and checks what they rely on: numbers, indexes and ids, one open item
 * at a time, deltas that add up to what the ends repeat, and an end whose output is what was streamed.
 */
export function followEvents(events: readonly Event[]): Told {
  assert.deepEqual(
    events.map(({ sequence_number: number }) => number),
    events.map((_, index) => index),
    'sequence numbers',
  );
  assert.deepEqual([events[0]?.type, events[1]?.type], ['response.created', 'response.in_progress']);
  const follower = new Follower();
  for (const event of events.slice(2)) follower.take(event);
  return follower.told();
}

class Follower {
  readonly #items: Json[] = [];
  readonly #ids = new Set<string>();
  #open: Json | null = null;
  #parts = 0;
  #part: string | null = null;
  #text = '';
  #delta: string | null = null;
  #error: Event | null = null;
  #end: Event | null = null;
  #keepAlives = 0;

  take(event: Event): void {
    const { type } = event;
    assert.equal(this.#end, null, `an event after the end: ${type}`);
    if (ENDS.includes(type)) this.#takeEnd(event);
    else if (this.#error !== null) assert.fail(`an event between an error and the end: ${type}`);
    else if (type === 'error') this.#error = event;
    else if (type === 'keepalive') this.#keepAlives += 1;
    else if (type === 'response.output_item.added') this.#takeAdded(event);
    else if (type === 'response.output_item.done') this.#takeDone(event);
    else this.#takePartOf(event);
  }

  told(): Told {
    assert.ok(this.#end !== null, 'there is no end');
    return { items: this.#items, end: this.#end, error: this.#error, keepAlives: this.#keepAlives };
  }

  #takeAdded({ output_index: index, item }: Event): void {
    const added = item as Json;
    assert.equal(this.#open, null, 'an item begins within another');
    assert.equal(index, this.#items.length);
    const id = String(added['id']);
    assert.ok(id.length > 3 && !this.#ids.has(id), `the id ${id}`);
    this.#ids.add(id);
    if ('call_id' in added) {
      const callId = String(added['call_id']);
      assert.ok(callId !== '' && !this.#ids.has(callId), `the call id ${callId}`);
      this.#ids.add(callId);
    }
    this.#open = added;
    this.#parts = 0;
  }

  #takeDone({ output_index: index, item }: Event): void {
    const done = item as Json;
    assert.equal(index, this.#items.length);
    assert.equal(this.#part, null, 'an item ends within a part');
    assert.equal(this.#delta, null, 'an item ends within a text');
    for (const name of ['type', 'id', 'call_id', 'name', 'namespace'])
      assert.equal(done[name], this.#open?.[name], name);
    this.#items.push(done);
    this.#open = null;
  }

  #takePartOf(event: Event): void {
    const { type } = event;
    assert.equal(event['item_id'], this.#open?.['id'], type);
    assert.equal(event['output_index'], this.#items.length, type);
    const kind = type.replace(/\.[a-z]+$/, '');
    if (PARTS.includes(kind)) {
      this.#takePart(event, type.endsWith('.added'));
      return;
    }
    if ('content_index' in event) assert.equal(event['content_index'], this.#parts, type);
    assert.ok(kind in TEXTS, type);
    assert.ok(this.#delta === null || this.#delta === kind, type);
    if (type.endsWith('.delta')) {
      assert.ok(typeof event['delta'] === 'string' && event['delta'] !== '', type);
      this.#text += event['delta'];
      this.#delta = kind;
      return;
    }
    assert.equal(type, `${kind}.done`);
    assert.equal(event[TEXTS[kind] ?? ''], this.#text, type);
    this.#text = '';
    this.#delta = null;
  }

  #takePart({ type, part, ...event }: Event, begins: boolean): void {
    assert.equal(event['content_index'] ?? event['summary_index'], this.#parts, type);
    const kind = String((part as Json)['type']);
    assert.equal(this.#part, begins ? null : kind, type);
    this.#part = begins ? kind : null;
    if (!begins) this.#parts += 1;
  }

  #takeEnd(event: Event): void {
    const response = responseOf(event);
    assert.equal(event.type, `response.${String(response['status'])}`);
    const output = response['output'] as Json[];
    assert.deepEqual(output.slice(0, this.#items.length), this.#items, 'the items of the end');
    const isBroken = this.#error !== null;
    assert.equal(output.length, this.#items.length + (isBroken && this.#open !== null ? 1 : 0));
    if (!isBroken) assert.equal(this.#open, null, 'an item is open at the end');
    const usage = response['usage'] as Record<string, number>;
    assert.equal(usage['total_tokens'], (usage['input_tokens'] ?? 0) + (usage['output_tokens'] ?? 0));
    this.#end = event;
  }
}

/** The texts of items, by their kinds. */
export function textsOf(items: readonly Json[]): { text: string; reasoning: string; calls: Json[] } {
  let text = '';
  let reasoning = '';
  const calls: Json[] = [];
  for (const item of items) {
    if (item['type'] === 'message')
      for (const part of item['content'] as Json[]) text += String(part['text'] ?? part['refusal']);
    else if (item['type'] === 'reasoning')
      for (const part of item['summary'] as Json[]) reasoning += String(part['text']);
    else calls.push(item);
  }
  return { text, reasoning, calls };
}
