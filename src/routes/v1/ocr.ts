import { HttpError } from '../../errors.ts';
import type { Endpoint } from '../../gateway/endpoint.ts';
import { findModel, findTarget, type Target } from '../../gateway/routing.ts';
import { openBody, readBody } from '../../http/body.ts';
import { MultipartReader, parseBoundary } from '../../http/multipart.ts';
import { type InflightLease, overloaded } from '../../inflight-budget.ts';
import { DataUrlGatherer } from '../../protocols/data-url.ts';
import { checkImage, IMAGE_LIMIT_BYTES, imageTooLarge } from '../../protocols/images.ts';
import { type OcrRequest, ocrChatBody, readOcrText } from '../../protocols/ocr.ts';
import { isJsonType } from '../../protocols/passed-headers.ts';
import type { Context, Handler } from '../context.ts';
import { requireJsonType } from '../json-body.ts';
import { FormParts } from './form-parts.ts';
import { nextHop } from './hops.ts';
import { refuseModelPickers, refusePickerPart } from './model-pickers.ts';
import { holderOf, isRestricted, requireModel } from './model-rights.ts';
import { parseOcrRequest, readOcrJson } from './ocr-json.ts';
import { type RelayOptions, sendAnswer } from './relay.ts';

/** The chat endpoint as this route uses it: the answer is read here, so no name is put back. */
const CHAT: Endpoint = {
  path: 'chat/completions',
  body: 'json',
  answer: 'json',
  namesModel: false,
  streamEnd: 'chat',
};

type OcrInput = Omit<OcrRequest, 'model'>;

/** Reads the text of an image through a chat completion: any vision model of any provider serves it. */
export function ocr(options: RelayOptions): Handler {
  return async (context) => {
    const hops = nextHop(context.req.headers['x-ipin-hops']);
    const holder = holderOf(context.principal);
    const lease = options.budget.open(holder);
    const choose = (modelId: string): (() => Target) => chooseTarget(modelId, context, options);
    try {
      const isJson = isJsonType(context.req.headers['content-type']);
      if (isJson) requireJsonType(context);
      const read = isJson ? readJson : readForm;
      const { input, target: findTargetNow, modelId } = await read(context, { options, lease, choose });
      const target = findTargetNow();
      context.facts.provider = target.provider.id;
      const answer = await options.gateway.execute({
        endpoint: CHAT,
        path: CHAT.path,
        provider: target.provider,
        upstreamModel: target.upstreamModel,
        model: modelId,
        body: { kind: 'made', pieces: ocrChatBody({ model: target.upstreamModel, ...input }) },
        headers: {},
        holder,
        hops,
        stream: false,
        includeUsage: false,
        encodingFormat: null,
        render: (bytes) => ({
          contentType: 'application/json',
          body: Buffer.from(
            JSON.stringify({ text: readOcrText(bytes), model: modelId, provider: target.provider.id }),
          ),
        }),
        query: '',
        signal: context.signal,
      });
      await sendAnswer(context, answer);
    } finally {
      lease.release();
    }
  };
}

interface ReadOptions {
  readonly options: RelayOptions;
  readonly lease: InflightLease;
  /** Checks that the model exists and may be used; the provider is checked after the fields. */
  readonly choose: (modelId: string) => () => Target;
}

interface OcrCall {
  readonly input: OcrInput;
  readonly modelId: string;
  readonly target: () => Target;
}

function chooseTarget(modelId: string, context: Context, options: RelayOptions): () => Target {
  context.facts.model = modelId;
  const view = options.view();
  const model = findModel(view, modelId);
  requireModel(context.principal, model.id, { view, nowMs: options.now() });
  return () => findTarget(view, model);
}

async function readJson(context: Context, { options, lease, choose }: ReadOptions): Promise<OcrCall> {
  const bytes = await readBody(context, { limitBytes: options.maxBodyBytes, lease });
  const request = await parseOcrRequest(bytes);
  const target = choose(request.model);
  if (isRestricted(context.principal)) refuseModelPickers(request.scan);
  return { input: await readOcrJson(request), modelId: request.model, target };
}

async function readForm(context: Context, { options, lease, choose }: ReadOptions): Promise<OcrCall> {
  const boundary = parseBoundary(context.req.headers['content-type']);
  const body = openBody(context, options.maxBodyBytes);
  try {
    const reader = new MultipartReader(body.chunks, boundary, {
      limits: { fileBytes: IMAGE_LIMIT_BYTES, totalBytes: options.maxBodyBytes },
      fileFields: new Set(['file']),
      fileTooLarge: (field) => imageTooLarge(IMAGE_LIMIT_BYTES + 1, field),
    });
    const form = new FormParts(
      reader,
      {
        fileField: 'file',
        checkFile: (part, head) => void checkImage(head, head.length, part.name),
        ...(isRestricted(context.principal) ? { checkName: refusePickerPart } : {}),
      },
      lease,
    );
    const modelId = await form.readModel();
    const target = choose(modelId);
    const imageUrl = await readImage(form, lease);
    const prompt = form.fields.find(([name]) => name === 'prompt')?.[1] || null;
    return { input: { imageUrl, prompt }, modelId, target };
  } finally {
    body.stop();
  }
}

/** Reads the rest of a form: the data URL of its file, which is held in this form alone. */
async function readImage(form: FormParts, lease: InflightLease): Promise<readonly Buffer[]> {
  let url: DataUrlGatherer | null = null;
  for await (const part of form.all()) {
    if (!part.isFile) continue;
    if (url !== null)
      throw new HttpError('invalid_body', 'The form has more than one file.', { param: 'file' });
    for await (const chunk of part.body) {
      // The first chunk has all the bytes that tell the type: `FormParts` has checked it by them.
      url ??= new DataUrlGatherer(checkImage(chunk, chunk.length, 'file'));
      url.add(chunk);
      if (!lease.growTo(url.length)) throw overloaded(lease, url.length);
    }
  }
  if (url === null) throw new HttpError('image_validation_failed', 'The image is empty.', { param: 'file' });
  return url.pieces();
}
