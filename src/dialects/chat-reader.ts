import { HttpError } from '../errors.ts';
import { isRecord } from '../json/value.ts';
import { mergeUsage, reportedUsage } from '../protocols/usage-dialects.ts';
import { estimateTokens, type Usage } from '../usage/usage.ts';
import { type CallPiece, CallSequence } from './call-sequence.ts';
import type { ChatEnd, ChatEvent, ChatUsage } from './chat-events.ts';
import { ThinkSplitter } from './think-splitter.ts';

type JsonObject = Readonly<Record<string, unknown>>;

interface ChatReaderOptions {
  /** Gets the parts of the answer in their order. */
  readonly emit: (event: ChatEvent) => void;
  /** Ids of calls that the conversation has used. */
  readonly callIds: Set<string>;
  /** Makes the id of a call whose own id is missing or was used before. */
  readonly newCallId: () => string;
  /** The estimated tokens of the prompt, for providers that report no usage. */
  readonly promptTokens: number;
}

/** Reasons to end an answer at the limit of its tokens, as vendors spell them. */
const LENGTH_REASONS: readonly string[] = ['length', 'max_tokens', 'model_length'];
/** Ids that every protocol accepts. */
const CALL_ID = /^[\x21-\x7e]{1,256}$/;

/**
 * Reads a chat answer of any vendor, chunk by chunk; a whole completion is one chunk. Both ways lead to the same events, so a
 * streamed answer and a whole one cannot differ.
 */
export class ChatReader {
  readonly #options: ChatReaderOptions;
  readonly #sequence: CallSequence;
  readonly #splitter: ThinkSplitter;
  #reason: string | null = null;
  #stopSequence: string | null = null;
  #hasRefusal = false;
  #usage: Usage | null = null;
  #textChars = 0;

  constructor(options: ChatReaderOptions) {
    this.#options = options;
    this.#sequence = new CallSequence(options.emit, (id) => this.#idFor(id));
    this.#splitter = new ThinkSplitter((kind, text) => this.#sequence.text(kind, text));
  }

  /** Why the answer ends, once the provider has said it. */
  get reason(): string | null {
    return this.#reason;
  }

  /** About how many characters of the answer are kept. */
  get heldChars(): number {
    return this.#sequence.heldChars;
  }

  /** Reads a whole completion. @throws HttpError `upstream_invalid_response` for a response that is none, and as `push`. */
  pushWhole(completion: unknown): void {
    if (isRecord(completion) && Array.isArray(completion['choices'])) {
      this.push(completion);
      return;
    }
    throw new HttpError(
      'upstream_invalid_response',
      'The response of the provider is not a chat completion.',
    );
  }

  /** Reads a chunk. @throws HttpError as `CallSequence.call`. */
  push(chunk: JsonObject): void {
    const { choices } = chunk;
    if (Array.isArray(choices)) {
      for (const choice of choices)
        if (isRecord(choice) && (choice['index'] ?? 0) === 0) this.#takeChoice(choice);
    }
    if (chunk['usage'] != null || chunk['x_groq'] != null) {
      const usage = reportedUsage(chunk);
      if (usage !== null) this.#usage = mergeUsage(this.#usage, usage);
    }
  }

  /** The answer is complete: emits what was held, and tells how it ended. */
  end(): ChatEnd {
    this.#finish();
    return {
      reason: this.#reason,
      stopSequence: this.#stopSequence,
      hasCalls: this.#sequence.hasCalls,
      hasRefusal: this.#hasRefusal,
      usage: this.usage(),
    };
  }

  /** What was used so far. */
  usage(): ChatUsage {
    const usage = this.#usage;
    return {
      promptTokens: usage?.promptTokens ?? this.#options.promptTokens,
      cachedTokens: usage?.cachedTokens ?? 0,
      cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
      completionTokens: usage?.completionTokens ?? estimateTokens(this.#textChars),
      reasoningTokens: usage?.reasoningTokens ?? null,
    };
  }

  #takeChoice(choice: JsonObject): void {
    const delta = choice['delta'] ?? choice['message'];
    const tokens = isRecord(choice['logprobs']) ? choice['logprobs']['content'] : null;
    if (Array.isArray(tokens) && tokens.length > 0) this.#options.emit({ kind: 'logprobs', tokens });
    if (isRecord(delta)) this.#takeDelta(delta);
    else if (typeof choice['text'] === 'string') this.#takeText(choice['text']);
    const { finish_reason: reason, stop_reason: stop } = choice;
    if (typeof stop === 'string') this.#stopSequence = stop;
    if (typeof reason !== 'string' || reason === '') return;
    this.#reason = LENGTH_REASONS.includes(reason) ? 'length' : reason;
    this.#finish();
  }

  #takeDelta(delta: JsonObject): void {
    const { content, refusal, tool_calls: calls, function_call: call } = delta;
    const reasoning = reasoningOf(delta);
    if (reasoning !== '') this.#take('reasoning', reasoning);
    if (typeof content === 'string') this.#takeText(content);
    else if (Array.isArray(content)) for (const part of content) this.#takePart(part);
    if (typeof refusal === 'string' && refusal !== '') {
      this.#hasRefusal = true;
      this.#take('refusal', refusal);
    }
    if (Array.isArray(calls)) for (const one of calls) this.#takeCall(one);
    else if (isRecord(call)) this.#takeCall({ function: call });
  }

  /** Mistral's content may be a list of parts, with its reasoning among them. */
  #takePart(part: unknown): void {
    if (!isRecord(part)) return;
    const { text, thinking } = part;
    if (typeof text === 'string') this.#takeText(text);
    else if (typeof thinking === 'string') this.#take('reasoning', thinking);
    else if (Array.isArray(thinking)) this.#take('reasoning', textsIn(thinking));
  }

  #takeText(text: string): void {
    if (text === '') return;
    this.#textChars += text.length;
    this.#splitter.push(text);
  }

  #take(kind: 'reasoning' | 'refusal', text: string): void {
    if (text === '') return;
    this.#textChars += text.length;
    this.#splitter.end();
    this.#sequence.text(kind, text);
  }

  #takeCall(value: unknown): void {
    const piece = callPiece(value);
    if (piece === null) return;
    this.#textChars += piece.arguments.length;
    this.#splitter.end();
    this.#sequence.call(piece);
  }

  #finish(): void {
    this.#splitter.end();
    this.#sequence.finish();
  }

  /** An id that is used twice makes clients run the same call again and again. */
  #idFor(upstreamId: string | null): string {
    const { callIds, newCallId } = this.#options;
    const isKept = upstreamId !== null && CALL_ID.test(upstreamId) && !callIds.has(upstreamId);
    const id = isKept ? upstreamId : newCallId();
    callIds.add(id);
    return id;
  }
}

/** The reasoning in a delta, under the names that vendors give it; a vendor that uses two of them repeats the text. */
function reasoningOf({ reasoning_content: own, reasoning, reasoning_details: details }: JsonObject): string {
  if (typeof own === 'string' && own !== '') return own;
  if (typeof reasoning === 'string' && reasoning !== '') return reasoning;
  return Array.isArray(details) ? textsIn(details) : '';
}

function textsIn(parts: readonly unknown[]): string {
  let texts = '';
  for (const part of parts) {
    const text = isRecord(part) ? (part['text'] ?? part['summary']) : part;
    if (typeof text === 'string') texts += text;
  }
  return texts;
}

function callPiece(value: unknown): CallPiece | null {
  if (!isRecord(value)) return null;
  const { index, id } = value;
  const called = isRecord(value['function']) ? value['function'] : {};
  const { name, arguments: text } = called;
  return {
    index: typeof index === 'number' ? index : null,
    id: textOrNull(id),
    name: textOrNull(name),
    arguments: typeof text === 'string' ? text : isRecord(text) ? JSON.stringify(text) : '',
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
