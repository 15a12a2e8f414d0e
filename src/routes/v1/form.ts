import { type MultipartPart, MultipartReader } from '../../http/multipart.ts';
import { parseBoundary } from '../../http/multipart-headers.ts';
import type { FormFields, FormKind } from '../../protocols/form-kinds.ts';
import { FormParts } from './form-parts.ts';
import { refusePickerPart } from './model-pickers.ts';
import type { AskedCall, OpenCall, ReadCall } from './open-call.ts';
import { sizeOfForm } from './request-size.ts';

/**
 * Creates the reader for a form endpoint: it reads up to the model; the rest is read while it is passed on, unless the file came
 * before the model.
 */
export function readFormCall(kind: FormKind): ReadCall {
  return async (open): Promise<AskedCall> => {
    const fields = kind.openFields();
    const form = openForm(open, kind, { fields });
    const modelId = await form.readModel(open.mayLackModel);
    const authorise = (): void => (modelId === null ? open.useDefaultProvider() : open.authorise(modelId));
    authorise();
    const announced = open.context.req.headers['content-length'];
    await open.admit(sizeOfForm(form, announced === undefined ? open.limitBytes : Number(announced)));
    const isHeld = modelId === null || (await form.holdRest());
    // The rest may have taken minutes, and rights may have been withdrawn meanwhile.
    authorise();
    const parts = (): AsyncIterable<MultipartPart> => (isHeld ? form.held() : form.all());
    return { body: { kind: 'form', isHeld, parts, fields } };
  };
}

interface FormOptions {
  /** Take the form's fields. */
  readonly fields: FormFields;
  /** The form's bytes, if they were read from the request before. */
  readonly pieces?: AsyncIterable<Buffer>;
}

/** Opens a form for reading. @throws HttpError `unsupported_content_type`. */
export function openForm(open: OpenCall, kind: FormKind, { fields, pieces }: FormOptions): FormParts {
  const boundary = parseBoundary(open.context.req.headers['content-type']);
  const { fileBytes, fileFields, fileTooLarge } = kind;
  const reader = new MultipartReader(pieces ?? open.readPieces(), boundary, {
    limits: { fileBytes, totalBytes: open.limitBytes },
    fileFields,
    ...(fileTooLarge === null ? {} : { fileTooLarge }),
  });
  return new FormParts(reader, {
    kind,
    fields,
    checkName: open.isRestricted ? refusePickerPart : null,
    lease: open.lease,
    onFile: (head, bytes) => open.noteFile(head, bytes),
  });
}
