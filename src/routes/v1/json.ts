import type { ModelWays } from '../../gateway/routing.ts';
import { Translation } from '../../gateway/translation.ts';
import { checkImageParts } from '../../protocols/image-parts.ts';
import { checkSourceImages } from '../../protocols/source-images.ts';
import { requireJsonType } from '../json-body.ts';
import {
  type JsonRequest,
  missingModel,
  parseJsonRequest,
  readEncodingFormat,
  readFlag,
  refuseBackground,
} from './json-request.ts';
import { refuseModelPickers } from './model-pickers.ts';
import type { AskedCall, OpenCall } from './open-call.ts';
import { sizeOfJson } from './request-size.ts';

/** Reads the body of a JSON endpoint. The order of the checks decides which error a client gets. @throws HttpError. */
export async function readJsonCall(open: OpenCall): Promise<AskedCall> {
  requireJsonType(open.context);
  const bytes = await open.readWhole();
  const parsed = parseJsonRequest(bytes);
  const request = parsed instanceof Promise ? await parsed : parsed;
  authorise(open, request.model);
  await open.admit(sizeOfJson(request, open.endpoint.meter === 'speech'));
  const ways = open.endpoint.dialect === null ? NATIVE : open.waysOf(open.endpoint.dialect.name);
  // A translation leaves them out.
  if (open.isRestricted && ways.mayBeNative) refuseModelPickers(request.scan);
  if (open.endpoint.dialect?.name === 'responses' && ways.mayBeNative && !open.mayRunOn)
    refuseBackground(request);
  const stream = readFlag(request, 'stream');
  const includeUsage = readFlag(request, 'stream_options.include_usage');
  const encodingFormat = open.endpoint.hasVectors ? readEncodingFormat(request) : null;
  const translation = toTranslation(open, request, { ways, stream });
  // Where the request may go as it is, what cannot be translated is no mistake.
  if (!ways.mayBeNative) await translation?.read();
  if (ways.mayBeNative && open.endpoint.hasSources) await checkSourceImages(bytes, request.scan);
  const checked = checkImageParts(bytes, request.scan);
  const patches = checked instanceof Promise ? await checked : checked;
  return {
    body: { kind: 'json', bytes, scan: request.scan, patches },
    stream,
    includeUsage,
    encodingFormat,
    translation,
  };
}

/** @throws HttpError as `OpenCall.authorise`, `missing_required_parameter`. */
function authorise(open: OpenCall, model: string | null): void {
  if (model !== null) open.authorise(model);
  else if (open.mayLackModel) open.useDefaultProvider();
  else throw missingModel();
}

const NATIVE: ModelWays = { mayBeNative: true, mayBeTranslated: false };

/** @throws HttpError `missing_required_parameter`: only a request that passes as it is can go without a model. */
function toTranslation(
  open: OpenCall,
  { bytes, model }: JsonRequest,
  { ways, stream }: { readonly ways: ModelWays; readonly stream: boolean },
): Translation | null {
  const { endpoint, context, lease } = open;
  if (endpoint.dialect === null || !ways.mayBeTranslated) return null;
  if (model === null && ways.mayBeNative) return null;
  if (model === null) throw missingModel();
  const client = { modelId: model, headers: context.req.headers };
  return new Translation({ dialect: endpoint.dialect, bytes, client, stream, lease });
}
