import type { HttpError } from '../errors.ts';
import { FIELD_LIMIT_BYTES, type MultipartPart } from '../http/multipart.ts';
import { checkAudioFile } from './audio-file.ts';
import { checkImage, IMAGE_LIMIT_BYTES, imageTooLarge } from './images.ts';
import { TRANSCRIPTION_FIELD_BYTES, TranscriptionFields } from './transcription-form.ts';

/** Reads the fields of one form, files apart, in their order. */
export interface FormFields {
  /** Takes the next field. @throws HttpError for a wrong value. */
  take(name: string, text: string): void;
  /** Checks conditions that span several fields, once all fields are read. @throws HttpError. */
  finish(): void;
}

/** The files and fields that a kind of form may hold. */
export interface FormKind<Fields extends FormFields = FormFields> {
  /** The field that must hold a file; null: none must. */
  readonly fileField: string | null;
  /** Fields that hold a file even where the part has no file name. */
  readonly fileFields: ReadonlySet<string>;
  /** The size limit of one file, in bytes. */
  readonly fileBytes: number;
  /** A form may have at least this size, even if MAX_BODY_MB is smaller. */
  readonly minFormBytes: number;
  /** Size limits of single fields, in bytes, by the field's name. */
  readonly fieldBytes: Readonly<Record<string, number>>;
  /** The error for a file over the limit; null: `file_too_large`. */
  readonly fileTooLarge: ((field: string) => HttpError) | null;
  /** Checks a file by its first bytes. @throws HttpError. */
  readonly checkFile: (part: MultipartPart, head: Buffer) => void;
  /** Starts reading the fields of one form. */
  readonly openFields: () => Fields;
}

/** OpenAI's limit for audio, inclusive. */
const AUDIO_LIMIT_BYTES = 26_214_400;
/** Image edits accept up to 16 images and a mask. */
const IMAGE_FORM_BYTES = 17 * IMAGE_LIMIT_BYTES + FIELD_LIMIT_BYTES;
const NO_LIMITS = {};

/** The form of `/v1/audio/transcriptions` and `/v1/audio/translations`. */
export function speechForm(task: 'transcribe' | 'translate'): FormKind<TranscriptionFields> {
  return {
    fileField: 'file',
    fileFields: new Set(['file']),
    fileBytes: AUDIO_LIMIT_BYTES,
    minFormBytes: 0,
    fieldBytes: TRANSCRIPTION_FIELD_BYTES,
    fileTooLarge: null,
    checkFile: ({ filename, contentType }, head) => checkAudioFile({ filename, contentType, head }),
    openFields: () => new TranscriptionFields(task),
  };
}

/** What all forms with pictures have in common. */
const PICTURES = {
  fileBytes: IMAGE_LIMIT_BYTES,
  fieldBytes: NO_LIMITS,
  fileTooLarge: (field: string) => imageTooLarge(IMAGE_LIMIT_BYTES + 1, field),
  checkFile: (part: MultipartPart, head: Buffer) => void checkImage(head, head.length, part.name),
};

/** The form of `/v1/images/edits` and `/v1/images/variations`. The provider checks their other fields. */
export const IMAGE_FORM: FormKind = {
  ...PICTURES,
  fileField: 'image',
  fileFields: new Set(['image', 'mask']),
  minFormBytes: IMAGE_FORM_BYTES,
  openFields: () => ({ take() {}, finish() {} }),
};

/** A form of which only `model` is known. */
export const ANY_FORM: FormKind = {
  fileField: null,
  fileFields: new Set(),
  fileBytes: Number.POSITIVE_INFINITY,
  minFormBytes: 0,
  fieldBytes: NO_LIMITS,
  fileTooLarge: null,
  checkFile: () => {},
  openFields: () => ({ take() {}, finish() {} }),
};

/** The form of `/v1/ocr`. */
export const OCR_FORM: FormKind<OcrFields> = {
  ...PICTURES,
  fileField: 'file',
  fileFields: new Set(['file']),
  minFormBytes: 0,
  openFields: () => new OcrFields(),
};

/** The fields of an OCR form. */
export class OcrFields implements FormFields {
  #prompt: string | null = null;

  /** null: the form has no prompt, or an empty one. */
  get prompt(): string | null {
    return this.#prompt === '' ? null : this.#prompt;
  }

  take(name: string, text: string): void {
    if (name === 'prompt') this.#prompt ??= text;
  }

  finish(): void {}
}
