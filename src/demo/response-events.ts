import { sseRecord } from '../http/sse.ts';
import type { ToolCall } from './tools.ts';
import { toPieces } from './words.ts';

type ItemEvent = { readonly type: string; readonly [member: string]: unknown };

/** An item of a response's output: how it begins, how it ends, and the events in between. */
export interface OutputItem {
  readonly added: object;
  readonly done: object;
  /** Events without `output_index` and `sequence_number`, which the stream adds. */
  readonly between: readonly ItemEvent[];
}

/** A message with one text. */
export function textItem(id: string, pieces: readonly string[], isCut: boolean): OutputItem {
  const itemId = `msg_${id}`;
  const text = pieces.join('');
  const part = { type: 'output_text', text, annotations: [], logprobs: [] };
  const message = { id: itemId, type: 'message', role: 'assistant' };
  const at = { item_id: itemId, content_index: 0 };
  return {
    added: { ...message, status: 'in_progress', content: [] },
    done: { ...message, status: isCut ? 'incomplete' : 'completed', content: [part] },
    between: [
      { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
      ...pieces.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
      { type: 'response.output_text.done', ...at, text, logprobs: [] },
      { type: 'response.content_part.done', ...at, part },
    ],
  };
}

/** A call of a function. */
export function functionCallItem(id: string, toolCall: ToolCall): OutputItem {
  const at = { item_id: `fc_${id}` };
  const item = { id: `fc_${id}`, type: 'function_call', call_id: `call_${id}` };
  const type = 'response.function_call_arguments';
  return {
    added: { ...item, ...toolCall, arguments: '', status: 'in_progress' },
    done: { ...item, ...toolCall, status: 'completed' },
    between: [
      ...toPieces(toolCall.arguments).map((delta) => ({ type: `${type}.delta`, ...at, delta })),
      { type: `${type}.done`, ...at, ...toolCall },
    ],
  };
}

/**
 * The records of a response's stream. Each one has `event`, `type` and a rising `sequence_number`; the last one is
 * `response.completed` or `response.incomplete` with the whole response (OpenAI API reference, streaming events).
 */
export function* responseEvents(response: {
  readonly started: object;
  readonly output: readonly OutputItem[];
  readonly finished: { readonly status: string };
}): Generator<Buffer> {
  let sequenceNumber = 0;
  const record = (event: ItemEvent): Buffer => {
    const numbered = { ...event, sequence_number: sequenceNumber };
    sequenceNumber += 1;
    return sseRecord(JSON.stringify(numbered), event.type);
  };
  yield record({ type: 'response.created', response: response.started });
  yield record({ type: 'response.in_progress', response: response.started });
  for (const [index, item] of response.output.entries()) {
    const at = { output_index: index };
    yield record({ type: 'response.output_item.added', ...at, item: item.added });
    for (const event of item.between) yield record({ ...event, ...at });
    yield record({ type: 'response.output_item.done', ...at, item: item.done });
  }
  yield record({ type: `response.${response.finished.status}`, response: response.finished });
}
