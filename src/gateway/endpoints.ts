import { type FormKind, IMAGE_FORM, OCR_FORM, speechForm } from '../protocols/form-kinds.ts';
import type { StreamEnd } from '../protocols/stream-end.ts';

/** Everything that is special about an endpoint of `/v1`. */
export interface Endpoint {
  /** Its path below `/v1/`. */
  readonly path: string;
  /** Clients whose base URL lacks `/v1` may leave it out. */
  readonly isServedBare: boolean;
  /** The provider's path below its base URL. */
  readonly upstreamPath: string;
  /** False where the request is made anew, so that the client's query and headers do not go on. */
  readonly isRelayed: boolean;
  /** How the request is read: as JSON, as a form, or as either for OCR. */
  readonly body: 'json' | 'form' | 'ocr';
  /** What its form may hold; null: it takes no form. */
  readonly form: FormKind | null;
  /** `json`: a successful answer without a stream must be JSON. */
  readonly answer: 'json' | 'any';
  /** The answer names the model, so the id that the client asked for is put back into it. */
  readonly namesModel: boolean;
  /** The answer holds vectors, whose encoding the client chooses. */
  readonly hasVectors: boolean;
  /** How a complete event stream ends, so that a broken one is noticed; null where vendors differ. */
  readonly streamEnd: StreamEnd;
}

/** A POST of JSON that is passed on to the model's provider and answered with JSON. */
export function jsonEndpoint(path: string, special: Partial<Endpoint> = {}): Endpoint {
  return {
    path,
    isServedBare: true,
    upstreamPath: path,
    isRelayed: true,
    body: 'json',
    form: null,
    answer: 'json',
    namesModel: false,
    hasVectors: false,
    streamEnd: null,
    ...special,
  };
}

/** A POST of a form that is passed on to the model's provider as it arrives. */
function formEndpoint(path: string, form: FormKind, special: Partial<Endpoint> = {}): Endpoint {
  return jsonEndpoint(path, { body: 'form', form, ...special });
}

/** The one table of endpoints: a new one is a row here, and gets the checks of keys and limits, and the log, with it. */
export const ENDPOINTS: readonly Endpoint[] = [
  jsonEndpoint('chat/completions', { namesModel: true, streamEnd: 'chat' }),
  jsonEndpoint('completions', { namesModel: true, streamEnd: 'chat' }),
  jsonEndpoint('responses', { namesModel: true, streamEnd: 'responses' }),
  jsonEndpoint('moderations', { namesModel: true }),
  jsonEndpoint('rerank', { namesModel: true }),
  jsonEndpoint('embeddings', { namesModel: true, hasVectors: true }),
  jsonEndpoint('images/generations'),
  jsonEndpoint('audio/speech', { answer: 'any' }),
  formEndpoint('audio/transcriptions', speechForm('transcribe'), { answer: 'any' }),
  formEndpoint('audio/translations', speechForm('translate'), { answer: 'any' }),
  formEndpoint('images/edits', IMAGE_FORM),
  formEndpoint('images/variations', IMAGE_FORM),
  formEndpoint('ocr', OCR_FORM, { body: 'ocr', upstreamPath: 'chat/completions', isRelayed: false }),
];
