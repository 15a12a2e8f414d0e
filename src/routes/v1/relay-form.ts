import type { Endpoint } from '../../gateway/endpoint.ts';
import { findModel, findTarget } from '../../gateway/routing.ts';
import { openBody } from '../../http/body.ts';
import { type MultipartPart, MultipartReader, parseBoundary } from '../../http/multipart.ts';
import { checkAudioFile } from '../../protocols/audio-file.ts';
import { checkImage, IMAGE_LIMIT_BYTES, imageTooLarge } from '../../protocols/images.ts';
import { requestHeadersFor } from '../../protocols/passed-headers.ts';
import { TRANSCRIPTION_FIELD_BYTES, TranscriptionFields } from '../../protocols/transcription-form.ts';
import type { Handler } from '../context.ts';
import { type FormChecks, FormParts } from './form-parts.ts';
import { nextHop } from './hops.ts';
import { refusePickerPart, refusePickerQuery } from './model-pickers.ts';
import { callerOf, holderOf, isRestricted, requireModel } from './model-rights.ts';
import { type RelayOptions, sendAnswer } from './relay.ts';

/** OpenAI's limit for audio; exactly this much passes. */
const AUDIO_LIMIT_BYTES = 26_214_400;
/** Image edits take up to 16 images, and a mask. */
const IMAGE_FORM_BYTES = 17 * IMAGE_LIMIT_BYTES + 1024 * 1024;

interface FormKind {
  /** For one form: checks remember what they have seen of it. */
  readonly checks: () => FormChecks;
  readonly fileFields: ReadonlySet<string>;
  readonly fileBytes: number;
  readonly fileTooLarge?: (field: string) => Error;
}

const AUDIO_FORM: FormKind = {
  checks() {
    const fields = new TranscriptionFields();
    return {
      fileField: 'file',
      checkFile: ({ filename, contentType }, head) => checkAudioFile({ filename, contentType, head }),
      fieldBytes: TRANSCRIPTION_FIELD_BYTES,
      checkField: (name, value) => fields.take(name, value),
      checkWhole: () => fields.finish(),
    };
  },
  fileFields: new Set(['file']),
  fileBytes: AUDIO_LIMIT_BYTES,
};

const IMAGE_FORM: FormKind = {
  checks: () => ({
    fileField: 'image',
    checkFile: (part: MultipartPart, head) => void checkImage(head, head.length, part.name),
  }),
  fileFields: new Set(['image', 'mask']),
  fileBytes: IMAGE_LIMIT_BYTES,
  fileTooLarge: (field) => imageTooLarge(IMAGE_LIMIT_BYTES + 1, field),
};

/** The one handler of all form endpoints: as `relayJson`, but the file is sent on while it arrives, where that can be. */
export function relayForm(endpoint: Endpoint, options: RelayOptions): Handler {
  const isAudio = endpoint.path.startsWith('audio/');
  const kind = isAudio ? AUDIO_FORM : IMAGE_FORM;
  const limitBytes = isAudio ? options.maxBodyBytes : Math.max(options.maxBodyBytes, IMAGE_FORM_BYTES);
  return async (context) => {
    const { req, principal } = context;
    const boundary = parseBoundary(req.headers['content-type']);
    const hops = nextHop(req.headers['x-ipin-hops']);
    const holder = holderOf(principal);
    const body = openBody(context, limitBytes);
    const lease = options.budget.open(holder);
    try {
      const { fileBytes, fileFields, fileTooLarge } = kind;
      const reader = new MultipartReader(body.chunks, boundary, {
        limits: { fileBytes, totalBytes: limitBytes },
        fileFields,
        ...(fileTooLarge === undefined ? {} : { fileTooLarge }),
      });
      const isChecked = isRestricted(principal);
      if (isChecked) refusePickerQuery(context.query);
      const checkName = isChecked ? { checkName: refusePickerPart } : {};
      const form = new FormParts(reader, { ...kind.checks(), ...checkName }, lease);
      const modelId = await form.readModel();
      context.facts.model = modelId;
      const view = options.view();
      const model = findModel(view, modelId);
      requireModel(principal, model.id, { view, nowMs: options.now() });
      const target = findTarget(view, model);
      context.facts.provider = target.provider.id;
      const answer = await options.gateway.execute({
        endpoint,
        path: endpoint.path,
        provider: target.provider,
        upstreamModel: target.upstreamModel,
        model: model.id,
        body: { kind: 'form', parts: form.all(), fields: form.fields },
        headers: requestHeadersFor(req.headers, callerOf(principal)),
        holder,
        hops,
        stream: false,
        includeUsage: false,
        encodingFormat: null,
        render: null,
        query: context.query,
        signal: context.signal,
      });
      await sendAnswer(context, answer);
    } finally {
      body.stop();
      lease.release();
    }
  };
}
