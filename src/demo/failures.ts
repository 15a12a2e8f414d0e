import { HttpError } from '../errors.ts';
import type { DemoAnswer, DemoCall } from './call.ts';
import { readConversation } from './conversation.ts';

/** `cut`: the answer breaks off at its beginning; null: no failure. */
type Failure = number | 'cut' | null;

const IN_TURN: readonly Failure[] = [503, 500, 'cut', null];
const WISH = /\bfail with ([45]\d\d)\b/i;
const BUSY: readonly number[] = [429, 503];
const RETRY_AFTER = ['retry-after', '3'];

/**
 * Creates the failures of a provider whose chats fail in turn with 503, 500 and a cut answer, while every fourth one succeeds.
 * A message with the words "fail with 401", or another status, fails with it. The returned function passes an answer on, cuts
 * it, or throws HttpError instead.
 */
export function createFailures(): (call: DemoCall, answer: DemoAnswer) => DemoAnswer {
  let count = 0;
  return (call, answer) => {
    const status = Number(WISH.exec(readConversation([call.body['messages'] ?? []].flat()).text)?.[1]);
    const failure = status > 0 ? status : (IN_TURN[count++ % IN_TURN.length] ?? null);
    if (failure === 'cut') return { ...answer, body: beginningOf(answer.body) };
    if (failure !== null) throw failureWith(failure);
    return answer;
  };
}

function failureWith(status: number): HttpError {
  const message = `This provider fails on purpose, now with ${status}.`;
  const error = {
    message,
    type: status < 500 ? 'invalid_request_error' : 'server_error',
    param: null,
    code: null,
  };
  return HttpError.fromUpstream(status, error, BUSY.includes(status) ? RETRY_AFTER : []);
}

/** The first record, or half of the bytes; what follows is an error, which cuts the connection. */
function* beginningOf(body: DemoAnswer['body']): Generator<string | Buffer> {
  if (Buffer.isBuffer(body)) yield body.subarray(0, body.length / 2);
  else
    for (const record of body) {
      yield record;
      break;
    }
  throw new Error('The answer is cut on purpose.');
}
