import { HttpError } from '../../errors.ts';
import { isJsonType } from '../../http/content-type.ts';
import { type InflightLease, overloaded } from '../../inflight-budget.ts';
import { DataUrlGatherer } from '../../protocols/data-url.ts';
import { OCR_FORM } from '../../protocols/form-kinds.ts';
import { checkImage } from '../../protocols/images.ts';
import { type OcrRequest, ocrChatBody, readOcrText } from '../../protocols/ocr.ts';
import { requireJsonType } from '../json-body.ts';
import { openForm } from './form.ts';
import type { FormParts } from './form-parts.ts';
import { missingModel } from './json-request.ts';
import { refuseModelPickers } from './model-pickers.ts';
import { parseOcrRequest, readOcrJson } from './ocr-json.ts';
import type { AskedCall, OpenCall } from './open-call.ts';
import { pictureSize, sizeOfJson } from './request-size.ts';

type OcrInput = Omit<OcrRequest, 'model'>;

interface OcrAsked {
  readonly modelId: string;
  readonly input: OcrInput;
}

/** Reads an OCR request and turns it into a chat completion, so any vision model of any provider can serve it. */
export async function readOcrCall(open: OpenCall): Promise<AskedCall> {
  const isJson = isJsonType(open.context.req.headers['content-type']);
  const { modelId, input } = await (isJson ? readJson(open) : readForm(open));
  return {
    body: {
      kind: 'made',
      make: (upstreamModel, options) => ocrChatBody({ model: upstreamModel, ...input }, options),
    },
    render: (response, providerId) => ({
      contentType: 'application/json',
      body: Buffer.from(
        JSON.stringify({ text: readOcrText(response), model: modelId, provider: providerId }),
      ),
    }),
  };
}

async function readJson(open: OpenCall): Promise<OcrAsked> {
  requireJsonType(open.context);
  const request = await parseOcrRequest(await open.readWhole());
  const { model } = request;
  if (model === null) throw missingModel();
  open.authorise(model);
  await open.admit(sizeOfJson(request, false));
  if (open.isRestricted) refuseModelPickers(request.scan);
  return { modelId: model, input: await readOcrJson(request) };
}

async function readForm(open: OpenCall): Promise<OcrAsked> {
  const fields = OCR_FORM.openFields();
  const form = openForm(open, OCR_FORM, { fields });
  const modelId = (await form.readModel(false)) ?? '';
  open.authorise(modelId);
  await open.admit(pictureSize(fields.prompt));
  const imageUrl = await readImage(form, open.lease);
  // The image may have taken minutes, and rights may have been withdrawn meanwhile.
  open.authorise(modelId);
  return { modelId, input: { imageUrl, prompt: fields.prompt } };
}

/** Reads the rest of a form and returns its file as a data URL; the file's bytes are not kept. */
async function readImage(form: FormParts, lease: InflightLease): Promise<readonly Buffer[]> {
  let url: DataUrlGatherer | null = null;
  for await (const part of form.all()) {
    if (!part.isFile) continue;
    if (url !== null)
      throw new HttpError('invalid_body', 'The form has more than one file.', { param: 'file' });
    for await (const chunk of part.body) {
      // `FormParts` makes the first chunk long enough to show the type.
      url ??= new DataUrlGatherer(checkImage(chunk, chunk.length, 'file'));
      url.add(chunk);
      if (!lease.growTo(url.length)) throw overloaded(lease, url.length);
    }
  }
  if (url === null) throw new HttpError('image_validation_failed', 'The image is empty.', { param: 'file' });
  return url.pieces();
}
