import { HttpError } from '../../errors.ts';
import { isRecord } from '../../json/value.ts';
import type { Steps } from '../../turns.ts';
import type { Conversation } from '../conversation.ts';
import type { ModelTraits } from '../model-traits.ts';
import { readConversation, readItems, toolsInItems } from './input.ts';
import { offeredTools } from './tool-choice.ts';
import { ToolSet } from './tools.ts';

type Body = Readonly<Record<string, unknown>>;

/** A request of the Responses API, read once for all targets. */
export class ResponsesRequest {
  readonly tools: ToolSet;
  readonly #conversation: Conversation;
  readonly #body: Body;

  private constructor(body: Body, tools: ToolSet, conversation: Conversation) {
    this.#body = body;
    this.tools = tools;
    this.#conversation = conversation;
  }

  /** @throws HttpError for a field that is missing or wrong, and for what needs stored responses; `param` names the field. */
  static *read(body: Body): Steps<ResponsesRequest> {
    refuseStored(body);
    requireTypes(body);
    const items = readItems(body['input']);
    const tools = yield* ToolSet.read([body['tools'], ...toolsInItems(items)]);
    const conversation = yield* readConversation(textOrNull(body['instructions']), items, tools);
    return new ResponsesRequest(body, tools, conversation);
  }

  /** The ids of the calls in the conversation. */
  callIds(): Set<string> {
    return this.#conversation.callIds();
  }

  /** The members of the chat request. @throws HttpError for a file, where the model reads none. */
  *toChat(traits: ModelTraits): Steps<Record<string, unknown>> {
    const body = this.#body;
    if (!traits.pdf && this.#conversation.hasUserFiles) {
      const message = 'This model does not read files. Send their text, or choose a model that does.';
      throw new HttpError('unsupported_parameter', message, { param: 'input' });
    }
    const messages = yield* this.#conversation.toMessages(traits);
    if (messages.length === 0)
      throw new HttpError('invalid_value', '`input` has no message.', { param: 'input' });
    return withoutNulls({
      messages,
      ...offeredTools(body, this.tools),
      max_tokens: body['max_output_tokens'],
      temperature: body['temperature'],
      top_p: body['top_p'],
      presence_penalty: body['presence_penalty'],
      frequency_penalty: body['frequency_penalty'],
      ...logprobsOf(body),
      response_format: formatOf(body['text']),
      reasoning_effort: traits.reasoningEffort ? effortOf(body['reasoning']) : null,
    });
  }
}

/** What only a server that stores responses can do. */
function refuseStored(body: Body): void {
  if (isGiven(body['previous_response_id'])) {
    const message =
      'No response is stored here, so `previous_response_id` cannot be used. Send the whole conversation in `input`.';
    throw new HttpError('previous_response_not_found', message, { param: 'previous_response_id' });
  }
  for (const name of ['conversation', 'prompt', 'background']) {
    if (!isGiven(body[name]) || body[name] === false) continue;
    const message = `\`${name}\` is not available for this model.`;
    throw new HttpError('unsupported_parameter', message, { param: name });
  }
}

/** The fields whose type matters, and a text that says what they must be. */
const TYPES: readonly (readonly [type: string, must: string, names: readonly string[]])[] = [
  ['string', 'a text', ['instructions']],
  [
    'number',
    'a number',
    ['max_output_tokens', 'temperature', 'top_p', 'top_logprobs', 'presence_penalty', 'frequency_penalty'],
  ],
  ['boolean', 'true or false', ['parallel_tool_calls', 'stream', 'store']],
];

function requireTypes(body: Body): void {
  for (const [type, must, names] of TYPES) {
    for (const name of names) {
      const value = body[name];
      if (!isGiven(value) || typeof value === type) continue;
      throw new HttpError('invalid_value', `\`${name}\` must be ${must}.`, { param: name });
    }
  }
}

/** `top_logprobs` alone asks for them too. */
function logprobsOf({ include, top_logprobs: top }: Body): Record<string, unknown> {
  const isIncluded = Array.isArray(include) && include.includes('message.output_text.logprobs');
  if (!isIncluded && !(typeof top === 'number' && top > 0)) return {};
  return { logprobs: true, ...(isGiven(top) ? { top_logprobs: top } : {}) };
}

/** @throws HttpError `invalid_value` for a format that is none. */
function formatOf(text: unknown): unknown {
  const format = isRecord(text) ? text['format'] : null;
  if (!isRecord(format)) return null;
  const { type, name, description, schema, strict } = format;
  if (type === 'text') return null;
  if (type === 'json_object') return { type };
  if (type === 'json_schema')
    return {
      type,
      json_schema: withoutNulls({ name: name ?? 'answer', description, schema, strict }),
    };
  throw new HttpError('invalid_value', '`text.format` must be text, json_object or json_schema.', {
    param: 'text.format',
  });
}

const EFFORTS: readonly unknown[] = ['none', 'minimal', 'low', 'medium', 'high'];

/** Chat knows no effort above `high`. */
function effortOf(reasoning: unknown): unknown {
  const effort = isRecord(reasoning) ? reasoning['effort'] : null;
  if (effort === 'xhigh' || effort === 'max') return 'high';
  return EFFORTS.includes(effort) ? effort : null;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isGiven(value)));
}
