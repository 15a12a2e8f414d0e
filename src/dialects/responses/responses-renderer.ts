import { HttpError } from '../../errors.ts';
import { failureCode, failureEvents } from '../../protocols/responses-failure.ts';
import type { ChatEnd, ChatEvent } from '../chat-events.ts';
import { ChatReader } from '../chat-reader.ts';
import type { AnswerAbout, StreamRenderer } from '../dialect.ts';
import { typedRecord } from '../render-record.ts';
import type { EventSender } from './output-items.ts';
import { type ResponseHead, type ResponseState, responseJson, responseObject } from './response-object.ts';
import { ResponseOutput } from './response-output.ts';
import type { ClientTool } from './tools.ts';

/** What an answer needs to know of its request. */
export interface ResponsesAnswer {
  /** The members of the response that repeat the request's, as a JSON object. */
  readonly echo: string;
  readonly toolOf: (chatName: string) => ClientTool | undefined;
  /** Ids of calls that the conversation has used. */
  readonly callIds: ReadonlySet<string>;
  /** Codex shows no refusals, and repeats a request whose answer a content filter ended. */
  readonly isForCodex: boolean;
}

/** An answer keeps its whole output for its last event; no model writes as much. */
const OUTPUT_CHARS = 32 * 1024 * 1024;

/** Renders a response from chat chunks: as events while they come, and as a whole at the end. */
export class ResponsesRenderer implements StreamRenderer, EventSender {
  readonly #answer: ResponsesAnswer;
  readonly #about: AnswerAbout;
  readonly #isStreamed: boolean;
  readonly #head: ResponseHead;
  readonly #reader: ChatReader;
  readonly #output: ResponseOutput;
  #records = '';
  #sequence = 0;
  #hasBegun = false;
  #chars = 0;
  /** Of the next text. */
  #logprobs: unknown[] = [];

  constructor(answer: ResponsesAnswer, about: AnswerAbout, isStreamed: boolean) {
    const { newId, nowSeconds, promptTokens } = about;
    this.#answer = answer;
    this.#about = about;
    this.#isStreamed = isStreamed;
    this.#head = { id: `resp_${newId()}`, createdAt: nowSeconds(), echo: answer.echo };
    this.#output = new ResponseOutput({ sender: this, newId, toolOf: answer.toolOf });
    this.#reader = new ChatReader({
      emit: this.#take,
      callIds: new Set(answer.callIds),
      newCallId: () => `call_${newId()}`,
      promptTokens,
    });
  }

  get heldBytes(): number {
    return this.#answer.echo.length + this.#chars + this.#reader.heldChars;
  }

  push(chunk: Readonly<Record<string, unknown>>): string {
    this.#begin();
    this.#reader.push(chunk);
    if (this.#chars > OUTPUT_CHARS)
      throw new HttpError('upstream_invalid_response', 'The answer of the provider is too large.');
    return this.#flush();
  }

  end(): string {
    this.#begin();
    const state = this.#finish();
    this.#sendResponse(state.status, responseJson(this.#head, state));
    return this.#flush();
  }

  fail(error: HttpError): string {
    this.#begin();
    const state = { status: 'failed', output: this.#output.items, usage: this.#reader.usage() } as const;
    const response = responseObject(this.#head, state);
    const events = failureEvents(error.error, failureCode(error), response);
    for (const { type, ...members } of events) this.send(type, members);
    return this.#flush();
  }

  keepAlive(): string {
    this.#begin();
    this.send('keepalive', {});
    return this.#flush();
  }

  /** The whole response, from a chat completion. @throws HttpError `upstream_invalid_response` for one without choices. */
  whole(completion: unknown): object {
    this.#reader.pushWhole(completion);
    return responseObject(this.#head, this.#finish());
  }

  send(type: string, members: Readonly<Record<string, unknown>>): void {
    if (!this.#isStreamed) return;
    this.#records += typedRecord({ type, sequence_number: this.#sequence, ...members });
    this.#sequence += 1;
  }

  sendDelta(type: string, before: string, delta: string, after: string): void {
    this.#sendJson(type, `${before}"delta":${JSON.stringify(delta)}${after}`);
  }

  /** @param members as JSON, without braces */
  #sendJson(type: string, members: string): void {
    if (!this.#isStreamed) return;
    this.#records += `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.#sequence},${members}}\n\n`;
    this.#sequence += 1;
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const response = responseJson(this.#head, { status: 'in_progress', output: [] });
    this.#sendResponse('created', response);
    this.#sendResponse('in_progress', response);
  }

  #sendResponse(what: ResponseState['status'] | 'created', response: string): void {
    this.#sendJson(`response.${what}`, `"response":${response}`);
  }

  #finish(): ResponseState {
    const end = this.#reader.end();
    const result = this.#resultOf(end);
    this.#output.close(result.status === 'completed' ? 'completed' : 'incomplete');
    return { ...result, output: this.#output.items, usage: end.usage };
  }

  #resultOf({ reason }: ChatEnd): Omit<ResponseState, 'output' | 'usage'> {
    if (reason === 'length') return { status: 'incomplete', incompleteReason: 'max_output_tokens' };
    if (reason !== 'content_filter') return { status: 'completed', completedAt: this.#about.nowSeconds() };
    if (!this.#answer.isForCodex) return { status: 'incomplete', incompleteReason: 'content_filter' };
    const message = 'The provider ended the answer: content_filter.';
    return { status: 'failed', error: { code: 'invalid_prompt', message } };
  }

  readonly #take = (event: ChatEvent): void => {
    if ('text' in event) this.#chars += event.text.length;
    switch (event.kind) {
      case 'reasoning':
        this.#output.reasoning(event.text);
        break;
      case 'text':
        this.#output.message('text', event.text, this.#takeLogprobs());
        break;
      case 'refusal':
        this.#output.message(this.#answer.isForCodex ? 'text' : 'refusal', event.text, []);
        break;
      case 'logprobs':
        this.#chars += JSON.stringify(event.tokens).length;
        for (const token of event.tokens) this.#logprobs.push(token);
        break;
      case 'call':
        this.#output.beginCall(event.id, event.name);
        break;
      case 'arguments':
        this.#output.callArguments(event.text);
        break;
      case 'call_end':
        this.#endCall(event.arguments, event.isWhole);
    }
  };

  /** A call that the limit of tokens cut off is incomplete, and is left out where nothing of it was sent. */
  #endCall(text: string, isWhole: boolean): void {
    const isCut = this.#reader.reason === 'length' && !(isWhole && text.trim() !== '');
    if (isCut && !this.#isStreamed) this.#output.dropCall();
    else this.#output.endCall(text, isCut);
  }

  #takeLogprobs(): readonly unknown[] {
    const tokens = this.#logprobs;
    if (tokens.length > 0) this.#logprobs = [];
    return tokens;
  }

  #flush(): string {
    const records = this.#records;
    this.#records = '';
    return records;
  }
}
