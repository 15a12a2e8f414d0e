import assert from 'node:assert/strict';
import type { AnswerAbout, DialectRequest } from '../../src/dialects/dialect.ts';
import { MESSAGES } from '../../src/dialects/messages/messages.ts';
import type { ModelTraits } from '../../src/dialects/model-traits.ts';
import { doAtOnce } from '../helpers/steps.ts';

type Json = Record<string, unknown>;

/** A model that takes nothing beyond plain chat. */
export const PLAIN: ModelTraits = { reasoningEffort: false, reasoningField: null, pdf: false };

export const ASK = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] } as const;

/** The chat request for a Messages request, which lacks nothing that is required. */
export function toChat(fields: Json, traits: Partial<ModelTraits> = {}): Json {
  return doAtOnce(parse(fields).toChat({ ...PLAIN, ...traits }));
}

export function parse(fields: Json): DialectRequest {
  return doAtOnce(MESSAGES.parse({ ...ASK, ...fields }, { modelId: 'm', headers: {} }));
}

/** The chat messages for the messages of a request. */
export function chatMessages(messages: unknown, traits: Partial<ModelTraits> = {}): unknown {
  return toChat({ messages }, traits)['messages'];
}

/** What renderers know; ids are `new0`, `new1` and so on. */
export function about(): AnswerAbout {
  let count = 0;
  return {
    requestId: 'req_1',
    promptTokens: 7,
    nowSeconds: () => 1_800_000_000,
    newId: () => {
      count += 1;
      return `new${count - 1}`;
    },
  };
}

/** The events of a stream made of these chunks, each as its type and its data. */
export function eventsOf(text: string): Json[] {
  if (text === '') return [];
  assert.ok(text.endsWith('\n\n'), 'the last record is whole');
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((record) => {
      const match = /^event: (\w+)\ndata: ([^\n]*)$/.exec(record);
      assert.ok(match !== null, record);
      const data = JSON.parse(match[2] ?? '') as Json;
      assert.equal(data['type'], match[1]);
      return data;
    });
}

/** A chat chunk. */
export function chunk(delta: object, reason: string | null = null, more: object = {}): Json {
  return {
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: reason }],
    ...more,
  };
}

/** The events for these chunks, and those at the end. */
export function stream(chunks: readonly Json[], fields: Json = {}): Json[] {
  const renderer = parse(fields).openStream(about());
  const text = chunks.map((one) => renderer.push(one)).join('');
  return eventsOf(text + renderer.end());
}

/** The whole message for a chat message. */
export function whole(
  message: object,
  reason: string | null = 'stop',
  more: object = {},
  fields: Json = {},
): Json {
  const completion = { id: 'c', choices: [{ index: 0, message, finish_reason: reason }], ...more };
  return parse(fields).renderAnswer(completion, about()) as Json;
}
