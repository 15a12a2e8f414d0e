import { TranslatedStream } from '../dialects/translated-stream.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import { parseJson } from '../json/value.ts';
import { completionToEvents } from '../protocols/completions.ts';
import { EventStream } from '../protocols/event-stream.ts';
import { invalidResponse } from '../providers/upstream-failures.ts';
import { type HeldResponse, needsRename, type ShapeOptions } from './held-response.ts';

/** What makes the client's event stream from the provider's. */
export function clientStream(response: HeldResponse, options: ShapeOptions): BodyTransform {
  const { streamEnd, dialect } = options.endpoint;
  const { requestId, meter, target, hidesUsage } = response;
  return (
    translatedStream(response, options) ??
    new EventStream({
      model: needsRename(response, options) ? options.modelId : null,
      streamEnd,
      hideUsage: hidesUsage,
      secrets: target.provider.secrets,
      meter,
      ...(dialect === null ? {} : { failedStream: (error) => dialect.failedStream(error, requestId) }),
    })
  );
}

/** What turns the provider's stream of chat chunks into the client's protocol; null: the client speaks it. */
function translatedStream(
  { target, meter, lease }: HeldResponse,
  { streamRenderer }: ShapeOptions,
): TranslatedStream | null {
  if (streamRenderer === null) return null;
  const { secrets } = target.provider;
  const mayHold = lease.growTo.bind(lease);
  return new TranslatedStream({ renderer: streamRenderer(), secrets, meter, mayHold });
}

/**
 * The events of a whole response, in the client's protocol, for a provider that did not stream although it was asked to.
 * @throws HttpError `upstream_invalid_response`.
 */
export function wholeAsEvents(body: Buffer, response: HeldResponse, options: ShapeOptions): Buffer {
  const stream = translatedStream(response, options);
  const events = toEvents(body, { ...options, includeUsage: options.includeUsage || stream !== null });
  if (stream === null) return events;
  return Buffer.from(stream.push(events) + stream.end());
}

function toEvents(body: Buffer, { endpoint, includeUsage }: ShapeOptions): Buffer {
  const events = endpoint.streamEnd === 'chat' ? completionToEvents(parseJson(body), includeUsage) : null;
  if (events === null)
    throw invalidResponse(
      'The provider did not stream its response, although the client asked for a stream.',
    );
  return events;
}
