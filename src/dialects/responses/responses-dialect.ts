import { CONTEXT_OVERFLOW, isContextOverflow } from '../../protocols/context-overflow.ts';
import { failureCode, ResponsesFailure } from '../../protocols/responses-failure.ts';
import type { Dialect, DialectClient, DialectRequest } from '../dialect.ts';
import { ResponsesRequest } from './request.ts';
import { echoOf } from './response-object.ts';
import { type ResponsesAnswer, ResponsesRenderer } from './responses-renderer.ts';

/**
 * The Responses API (OpenAI API reference, "Responses") over chat completions. Nothing is stored: clients send their whole
 * conversation with each request.
 */
export const RESPONSES: Dialect = {
  name: 'responses',
  *parse(body, client) {
    const request = yield* ResponsesRequest.read(body);
    const answer = answerFor(request, body, client);
    return dialectRequest(request, answer);
  },
  headers: () => [],
  renderError(failure) {
    const { status, error, headers } = failure;
    if (!isContextOverflow(failure)) return { status, body: { error }, headers };
    // By this code and status, Codex begins to shorten the conversation.
    return { status: 400, body: { error: { ...error, code: CONTEXT_OVERFLOW } }, headers };
  },
  failedStream(failure) {
    const error = { ...failure.error, code: failureCode(failure) };
    return new ResponsesFailure().records(error).toString();
  },
};

function dialectRequest(request: ResponsesRequest, answer: ResponsesAnswer): DialectRequest {
  return {
    toChat: (traits) => request.toChat(traits),
    ...renderersFor(answer),
  };
}

/** A separate function, so that what it returns keeps nothing of the request but what the answer needs. */
function renderersFor(answer: ResponsesAnswer): Pick<DialectRequest, 'renderAnswer' | 'openStream'> {
  return {
    renderAnswer: (completion, about) => new ResponsesRenderer(answer, about, false).whole(completion),
    openStream: (about) => new ResponsesRenderer(answer, about, true),
  };
}

function answerFor(
  request: ResponsesRequest,
  body: Readonly<Record<string, unknown>>,
  { modelId, headers }: DialectClient,
): ResponsesAnswer {
  const { tools } = request;
  return {
    echo: JSON.stringify(echoOf(body, modelId)),
    toolOf: (chatName) => tools.called(chatName),
    callIds: request.callIds(),
    isForCodex: /^codex/i.test(String(headers['originator'] ?? '')),
  };
}
