import { checkImageParts } from '../../protocols/image-parts.ts';
import { requireJsonType } from '../json-body.ts';
import { parseJsonRequest, readEncodingFormat, readFlag } from './json-request.ts';
import { refuseModelPickers } from './model-pickers.ts';
import type { AskedCall, OpenCall } from './open-call.ts';
import { sizeOfJson } from './request-size.ts';

/** Reads the body of a JSON endpoint. The order of the checks decides which error a client gets. @throws HttpError. */
export async function readJsonCall(open: OpenCall): Promise<AskedCall> {
  requireJsonType(open.context);
  const bytes = await open.readWhole();
  const request = await parseJsonRequest(bytes);
  open.authorise(request.model);
  await open.admit(sizeOfJson(request, open.endpoint.meter === 'speech'));
  if (open.isRestricted) refuseModelPickers(request.scan);
  const stream = readFlag(request, 'stream');
  const includeUsage = readFlag(request, 'stream_options.include_usage');
  const encodingFormat = open.endpoint.hasVectors ? readEncodingFormat(request) : null;
  const patches = await checkImageParts(bytes, request.scan);
  return {
    body: { kind: 'json', bytes, scan: request.scan, patches },
    stream,
    includeUsage,
    encodingFormat,
  };
}
