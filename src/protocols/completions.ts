import { sseRecord } from '../http/sse.ts';
import { isRecord } from '../json/value.ts';

/**
 * Turns a whole chat completion or text completion into the event stream that the client asked for. Needed for providers
 * that ignore `stream: true`: SDKs would read nothing from a JSON answer and report no error.
 * The usage chunk is added only if the client asked for usage. Returns null if the response has no choices.
 */
export function completionToEvents(completion: unknown, includeUsage: boolean): Buffer | null {
  if (!isRecord(completion) || !Array.isArray(completion['choices'])) return null;
  const { choices, usage, object, ...common } = completion;
  // Some servers leave `object` out.
  const isChat =
    object !== 'text_completion' && !choices.some((choice) => isRecord(choice) && 'text' in choice);
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

/** In a stream, each tool call carries an index by which clients join its pieces. */
function withIndexes(message: Record<string, unknown>): Record<string, unknown> {
  const calls = message['tool_calls'];
  if (!Array.isArray(calls)) return message;
  return { ...message, tool_calls: calls.filter(isRecord).map((call, index) => ({ index, ...call })) };
}
