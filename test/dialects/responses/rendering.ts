import type { AnswerAbout, DialectRequest } from '../../../src/dialects/dialect.ts';
import type { ModelTraits } from '../../../src/dialects/model-traits.ts';
import { RESPONSES } from '../../../src/dialects/responses/responses-dialect.ts';
import { HttpError } from '../../../src/errors.ts';
import { doAtOnce } from '../../helpers/steps.ts';

export const PLAIN: ModelTraits = { reasoningEffort: false, reasoningField: null, pdf: false };

export type Json = Record<string, unknown>;

/** Reads a request for the model `m` with the input `Hi`, unless the body says otherwise. */
export function parse(body: Json = {}, headers: Record<string, string> = {}): DialectRequest {
  return doAtOnce(RESPONSES.parse({ model: 'm', input: 'Hi', ...body }, { modelId: 'm', headers }));
}

export function chatOf(body: Json, traits: Partial<ModelTraits> = {}): Json {
  return doAtOnce(parse(body).toChat({ ...PLAIN, ...traits }));
}

/** The error that a request is refused with. */
export function refusalOf(body: Json): Json {
  try {
    chatOf(body);
  } catch (error) {
    if (error instanceof HttpError) return { status: error.status, ...error.error };
    throw error;
  }
  throw new Error('the request was not refused');
}

/** Ids count up, so that expected events can name them. */
export function about(): AnswerAbout {
  let ids = 0;
  return {
    requestId: 'req_1',
    promptTokens: 11,
    nowSeconds: () => 1_700_000_000,
    newId: () => String(++ids),
  };
}

export interface Event extends Json {
  readonly type: string;
  readonly sequence_number: number;
}

/** The events in a text, each of which must carry its own type twice. */
export function eventsIn(text: string): Event[] {
  return text
    .split('\n\n')
    .filter((record) => record !== '')
    .map((record) => {
      const [, type, data] = /^event: ([^\n]+)\ndata: ([^\n]+)$/.exec(record) ?? [];
      const event = JSON.parse(data ?? 'null') as Event;
      if (event?.type !== type) throw new Error(`a record without its type: ${record}`);
      return event;
    });
}

/** The response in an event. */
export function responseOf(event: Event | undefined): Json {
  if (event === undefined) throw new Error('there is no such event');
  return event['response'] as Json;
}

/** A chunk of a chat stream with a delta. */
export function delta(members: Json, finish: string | null = null): Json {
  return { choices: [{ index: 0, delta: members, finish_reason: finish }] };
}

export const USAGE = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } };

/** The events of a whole stream. */
export function streamed(
  chunks: readonly Json[],
  { body = {}, headers = {} }: { readonly body?: Json; readonly headers?: Record<string, string> } = {},
): Event[] {
  const renderer = parse(body, headers).openStream(about());
  const text = chunks.map((chunk) => renderer.push(chunk)).join('');
  return eventsIn(text + renderer.end());
}

/** A chat completion with a message. */
export function completion(message: Json, finish = 'stop', more: Json = {}): Json {
  return {
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
    usage: USAGE.usage,
    ...more,
  };
}

export function whole(
  answer: unknown,
  { body = {}, headers = {} }: { readonly body?: Json; readonly headers?: Record<string, string> } = {},
): Json {
  return parse(body, headers).renderAnswer(answer, about()) as Json;
}

/** A call in a chat message or a delta. */
export function call(index: number, id: string, name: string, text: string): Json {
  return { index, id, type: 'function', function: { name, arguments: text } };
}
