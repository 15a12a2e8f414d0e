import { HttpError } from '../../errors.ts';
import { isRecord } from '../../json/value.ts';
import type { Steps } from '../../turns.ts';
import { Conversation } from '../conversation.ts';
import type { DialectClient } from '../dialect.ts';
import type { ModelTraits } from '../model-traits.ts';
import { readAssistant, readSystem, readUser } from './blocks.ts';
import { readTools, ToolSet } from './tools.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** OpenAI's limit for `stop`. */
const STOPS = 4;
const EFFORTS: Readonly<Record<string, string>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

/** A request of the Messages API, read. */
export class MessagesRequest {
  readonly conversation = new Conversation();
  readonly tools = new ToolSet();
  readonly client: DialectClient;
  readonly #body: JsonObject;

  private constructor(body: JsonObject, client: DialectClient) {
    this.#body = body;
    this.client = client;
  }

  /** @throws HttpError for a request that cannot be translated. Unknown fields and the history are never refused. */
  static *read(body: JsonObject, client: DialectClient): Steps<MessagesRequest> {
    refuseThread(body['thread']);
    requireMaxTokens(body['max_tokens']);
    const messages = requireMessages(body['messages']);
    if (Array.isArray(body['mcp_servers']) && body['mcp_servers'].length > 0) throw noServers();
    const request = new MessagesRequest(body, client);
    const { tools, conversation } = request;
    yield* readTools(body['tools'], tools);
    yield* readSystem(body['system'], conversation);
    for (const [index, message] of messages.entries()) yield* request.#readMessage(message, index);
    tools.requireUsable();
    return request;
  }

  /** The members of the chat request, see `DialectRequest.toChat`. */
  *toChat(traits: ModelTraits): Steps<Record<string, unknown>> {
    const { max_tokens: maxTokens, temperature, top_p: topP, stop_sequences: stops } = this.#body;
    const stop = Array.isArray(stops) ? stops.filter(isFilled).slice(0, STOPS) : [];
    return {
      messages: yield* this.conversation.toMessages(traits),
      max_tokens: maxTokens,
      ...(typeof temperature === 'number' ? { temperature } : {}),
      ...(typeof topP === 'number' ? { top_p: topP } : {}),
      ...(stop.length > 0 ? { stop } : {}),
      ...this.tools.toChat(this.#body['tool_choice']),
      ...this.#outputFormat(),
      ...this.#effort(traits),
    };
  }

  *#readMessage(message: unknown, index: number): Steps<void> {
    if (!isRecord(message)) throw wrongField(`messages.${index}`, 'must be an object');
    const { role, content } = message;
    if (role === 'user') yield* readUser(content, this);
    else if (role === 'assistant') yield* readAssistant(content, this);
    else if (role === 'system') yield* readSystem(content, this.conversation, this.tools);
    else throw wrongField(`messages.${index}.role`, 'must be user, assistant or system');
  }

  #outputFormat(): object {
    const config = this.#body['output_config'];
    const format = (isRecord(config) ? config['format'] : null) ?? this.#body['output_format'];
    if (!isRecord(format) || format['type'] !== 'json_schema') return {};
    return {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: format['schema'] ?? {}, strict: true },
      },
    };
  }

  /** An effort beside thinking that is switched off is refused by some providers. */
  #effort({ reasoningEffort }: ModelTraits): object {
    const { output_config: config, thinking } = this.#body;
    const isOff = isRecord(thinking) && thinking['type'] === 'disabled';
    if (!reasoningEffort || isOff || !isRecord(config)) return {};
    const { effort } = config;
    const known = typeof effort === 'string' && Object.hasOwn(EFFORTS, effort) ? EFFORTS[effort] : undefined;
    return known === undefined ? {} : { reasoning_effort: known };
  }
}

/** Conversations are not stored here. The clients then send the whole conversation. */
function refuseThread(thread: unknown): void {
  if (!isRecord(thread) || thread['type'] !== 'continue') return;
  throw HttpError.fromUpstream(404, {
    message: 'Conversations are not stored here. Send all messages.',
    type: 'invalid_request_error',
    param: 'thread',
    code: 'not_found',
    details: { error_code: 'thread_not_found' },
  });
}

function requireMaxTokens(value: unknown): void {
  if (value === undefined || value === null) throw missingField('max_tokens');
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw wrongField('max_tokens', 'must be a whole number of at least 1');
}

/** @throws HttpError `missing_required_parameter`, `invalid_value`. */
export function requireMessages(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) throw missingField('messages');
  if (!Array.isArray(value)) throw wrongField('messages', 'must be a list');
  if (value.length === 0) throw wrongField('messages', 'must have at least one message');
  return value;
}

function missingField(name: string): HttpError {
  return new HttpError('missing_required_parameter', `${name}: Field required`, { param: name });
}

function wrongField(name: string, what: string): HttpError {
  return new HttpError('invalid_value', `${name}: ${what}`, { param: name });
}

function noServers(): HttpError {
  const message = 'mcp_servers: This model runs no MCP servers. Connect to them in your client.';
  return new HttpError('unsupported_parameter', message, { param: 'mcp_servers' });
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
