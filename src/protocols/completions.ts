import { sseRecord } from '../http/sse.ts';
import { isRecord } from '../json/value.ts';

/**
 * Turns a whole chat completion (or text completion) into the event stream that the client asked for, for upstreams
 * that ignore `stream: true`: SDKs would read nothing from a JSON answer and report no error.
 * The usage chunk comes only where the client asked for it. Returns null where the answer has no choices.
 */
export function completionToEvents(answer: unknown, includeUsage: boolean): Buffer | null {
  if (!isRecord(answer) || !Array.isArray(answer['choices'])) return null;
  const { choices, usage, object, ...common } = answer;
  const isChat = object !== 'text_completion';
  const head = { ...common, object: isChat ? 'chat.completion.chunk' : 'text_completion' };
  const records = choices.filter(isRecord).map((choice) => {
    const { message, ...rest } = choice;
    const delta = isRecord(message) ? { delta: withIndexes(message) } : {};
    return sseRecord(JSON.stringify({ ...head, choices: [{ ...rest, ...delta }] }));
  });
  if (includeUsage && usage !== undefined)
    records.push(sseRecord(JSON.stringify({ ...head, choices: [], usage })));
  return Buffer.concat([...records, sseRecord('[DONE]')]);
}

/** In a stream, tool calls carry the index that joins their pieces. */
function withIndexes(message: Record<string, unknown>): Record<string, unknown> {
  const calls = message['tool_calls'];
  if (!Array.isArray(calls)) return message;
  return { ...message, tool_calls: calls.filter(isRecord).map((call, index) => ({ index, ...call })) };
}
