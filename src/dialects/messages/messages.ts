import type { Dialect } from '../dialect.ts';
import { type MessagesAsked, renderMessage } from './answer.ts';
import { failedStream, renderError } from './errors.ts';
import { MessagesRequest } from './request.ts';
import { MessagesStream } from './stream.ts';

/** Anthropic's Messages API (platform.claude.com, API reference). */
export const MESSAGES: Dialect = {
  name: 'messages',
  *parse(body, client) {
    const request = yield* MessagesRequest.read(body, client);
    return {
      toChat: (traits) => request.toChat(traits),
      renderAnswer: (completion, about) => renderMessage(completion, askedOf(request), about),
      openStream: (about) => new MessagesStream(askedOf(request), about),
    };
  },
  headers: (requestId) => ['request-id', requestId],
  renderError,
  failedStream,
};

function askedOf({ client, conversation, tools }: MessagesRequest): MessagesAsked {
  return { modelId: client.modelId, callIds: conversation.callIds(), ownNames: tools.ownNames };
}
