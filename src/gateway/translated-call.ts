import { randomBytes } from 'node:crypto';
import type { AnswerAbout } from '../dialects/dialect.ts';
import { HttpError } from '../errors.ts';
import { parseJson } from '../json/value.ts';
import type { Quirk, Target } from '../providers/adapter.ts';
import { protocolWay } from '../providers/protocol-way.ts';
import type { Call } from './call.ts';
import { CHAT } from './endpoints.ts';
import type { Translation } from './translation.ts';

interface AskedWith {
  /** The quirks that the attempt respects. */
  readonly quirks: ReadonlySet<Quirk>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * The call as it goes to a target: the client's own, or a chat completion made from it, whose answer is translated back.
 * @throws (the promise) HttpError as `Translation.bodyFor`.
 */
export function callFor(call: Call, target: Target, asked: AskedWith): Call | Promise<Call> {
  const { translation } = call;
  if (translation === null) return call;
  const way = protocolWay(target.provider, translation.dialect.name, asked.quirks);
  return way === 'translated' ? translatedCall(call, translation, { ...asked, target }) : call;
}

async function translatedCall(
  call: Call,
  translation: Translation,
  { target, now }: AskedWith & { readonly target: Target },
): Promise<Call> {
  const { options } = call.found.model;
  const body = await translation.bodyFor(options, target.upstreamModel);
  const renderers = renderersOf(translation, aboutAnswer(call, now));
  return { ...call, ...renderers, endpoint: CHAT, options, body, query: '', headers: [] };
}

/** A separate function, so that the renderers keep nothing of the request but what they need. */
function renderersOf(translation: Translation, about: AnswerAbout): Pick<Call, 'render' | 'streamRenderer'> {
  const request = translation.request();
  return {
    render: (response) => {
      const body = textOf(() => request.renderAnswer(parseJson(response), about));
      return { contentType: 'application/json', body: Buffer.from(body) };
    },
    streamRenderer: () => request.openStream(about),
  };
}

/** @throws HttpError `upstream_invalid_response` for arguments of a call that are nested too deeply to be written. */
function textOf(render: () => object): string {
  try {
    return JSON.stringify(render());
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = 'The response of the provider is nested too deeply.';
    throw new HttpError('upstream_invalid_response', message, { cause: error });
  }
}

function aboutAnswer({ record }: Call, now: () => number): AnswerAbout {
  return {
    requestId: record.requestId,
    promptTokens: record.estimate.promptTokens,
    nowSeconds: () => Math.floor(now() / 1000),
    newId: () => randomBytes(12).toString('hex'),
  };
}
