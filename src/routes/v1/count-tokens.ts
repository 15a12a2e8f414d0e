import { requireMessages } from '../../dialects/messages/request.ts';
import { HttpError } from '../../errors.ts';
import type { Endpoint } from '../../gateway/endpoints.ts';
import { sendJson } from '../../http/reply.ts';
import { isRecord, parseJson } from '../../json/value.ts';
import { estimateUse } from '../../limits/use-estimate.ts';
import { checkSourceImages } from '../../protocols/source-images.ts';
import type { Handler } from '../context.ts';
import { requireJsonType } from '../json-body.ts';
import { type JsonRequest, missingModel, parseJsonRequest } from './json-request.ts';
import { refuseModelPickers } from './model-pickers.ts';
import { type CallOptions, OpenCall } from './open-call.ts';
import { sizeOfJson } from './request-size.ts';
import { sendAnswer } from './send-answer.ts';

/**
 * Tells how many tokens the prompt of a Messages request has: by the provider, if all targets of the model speak that API, else
 * as estimated here. Clients ask dozens of times in a row, so it counts for no limit and as no use.
 */
export function countTokens(endpoint: Endpoint, options: CallOptions): Handler {
  return async (context) => {
    const open = new OpenCall(context, endpoint, options);
    try {
      requireJsonType(context);
      const request = await parseJsonRequest(await open.readWhole());
      if (request.model === null) throw missingModel();
      open.authorise(request.model);
      const ways = open.waysOf('messages');
      const isRelayed = ways.mayBeNative && !ways.mayBeTranslated;
      if (!isRelayed) requireMessages(messagesOf(request));
      if (!isRelayed || !(await relay(open, request, options))) {
        const { promptTokens } = estimateUse('tokens', sizeOfJson(request, false), undefined);
        sendJson(context, 200, { input_tokens: promptTokens });
      }
    } finally {
      open.close();
    }
  };
}

function messagesOf({ bytes }: JsonRequest): unknown {
  const body = parseJson(bytes);
  return isRecord(body) ? body['messages'] : undefined;
}

/** False if the provider does not count tokens. */
async function relay(open: OpenCall, { bytes, scan }: JsonRequest, options: CallOptions): Promise<boolean> {
  if (open.isRestricted) refuseModelPickers(scan);
  await checkSourceImages(bytes, scan);
  const call = open.toCall({ body: { kind: 'json', bytes, scan, patches: [] } });
  try {
    await sendAnswer(open.context, await options.gateway.execute(call), options);
    return true;
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return false;
    throw error;
  }
}
