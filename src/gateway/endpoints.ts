import type { Dialect } from '../dialects/dialect.ts';
import { MESSAGES } from '../dialects/messages/messages.ts';
import { RESPONSES } from '../dialects/responses/responses-dialect.ts';
import { type FormKind, IMAGE_FORM, OCR_FORM, speechForm } from '../protocols/form-kinds.ts';
import type { StreamEnd } from '../protocols/stream-end.ts';
import type { MeterKind } from '../usage/usage.ts';

/** A row of the endpoint table: all properties of one endpoint of `/v1`. */
export interface Endpoint {
  /** Its path below `/v1/`. */
  readonly path: string;
  /** Which of two different keys counts, see the guard. */
  readonly access: 'key' | 'either-key';
  /** Also served without `/v1`, for clients whose base URL lacks it. */
  readonly isServedBare: boolean;
  /** The provider's path below its base URL. */
  readonly upstreamPath: string;
  /** False if a new request is built for the provider, so the client's query and headers are not passed on. */
  readonly isRelayed: boolean;
  /** How the body is read: as JSON, as a form, or for OCR as either. */
  readonly body: 'json' | 'form' | 'ocr';
  /** A body other than JSON passes unread. */
  readonly isUnread: boolean;
  /** The files and fields of its form; null: no form is accepted. */
  readonly form: FormKind | null;
  /** `json`: a successful response that is not an event stream must be JSON. */
  readonly response: 'json' | 'any';
  /** The response names its model, which is replaced by the id that the client asked for. */
  readonly namesModel: boolean;
  /** The request may hold pictures as the base64 of a `source`. */
  readonly hasSources: boolean;
  /** The response holds vectors, and the client chooses their encoding. */
  readonly hasVectors: boolean;
  /** False: its requests are no calls, so they count for no limit and are not booked. */
  readonly isCounted: boolean;
  /** What of a call is counted, for limits, prices and the ledger. */
  readonly meter: MeterKind;
  /** The protocol that it speaks, which chat providers can serve by translation; null: its requests are passed on. */
  readonly dialect: Dialect | null;
  /** How a complete event stream ends, to notice a broken stream; null because vendors differ. */
  readonly streamEnd: StreamEnd;
}

/** An endpoint that passes a JSON body to the model's provider and answers with JSON. */
export function jsonEndpoint(path: string, special: Partial<Endpoint> = {}): Endpoint {
  return {
    path,
    access: 'key',
    isServedBare: true,
    upstreamPath: path,
    isRelayed: true,
    body: 'json',
    isUnread: false,
    form: null,
    response: 'json',
    namesModel: false,
    hasSources: false,
    hasVectors: false,
    isCounted: true,
    meter: 'tokens',
    dialect: null,
    streamEnd: null,
    ...special,
  };
}

/** An endpoint that passes a form to the model's provider while the form arrives. */
function formEndpoint(path: string, form: FormKind, special: Partial<Endpoint> = {}): Endpoint {
  return jsonEndpoint(path, { body: 'form', form, ...special });
}

/** What translated requests become. */
export const CHAT = jsonEndpoint('chat/completions', { namesModel: true, streamEnd: 'chat' });

const MESSAGES_ROW = { dialect: MESSAGES, access: 'either-key' } as const;

/** The table of endpoints. A new endpoint is one row here; authorisation, limits and logging apply to every row. */
export const ENDPOINTS: readonly Endpoint[] = [
  CHAT,
  jsonEndpoint('completions', { namesModel: true, streamEnd: 'chat' }),
  jsonEndpoint('responses', { namesModel: true, dialect: RESPONSES, streamEnd: 'responses' }),
  jsonEndpoint('messages', { ...MESSAGES_ROW, namesModel: true, hasSources: true, streamEnd: 'messages' }),
  jsonEndpoint('moderations', { namesModel: true, meter: 'input' }),
  jsonEndpoint('rerank', { namesModel: true, meter: 'input' }),
  jsonEndpoint('embeddings', { namesModel: true, hasVectors: true, meter: 'input' }),
  jsonEndpoint('images/generations', { meter: 'images' }),
  jsonEndpoint('audio/speech', { response: 'any', meter: 'speech' }),
  formEndpoint('audio/transcriptions', speechForm('transcribe'), { response: 'any', meter: 'audio' }),
  formEndpoint('audio/translations', speechForm('translate'), { response: 'any', meter: 'audio' }),
  formEndpoint('images/edits', IMAGE_FORM, { meter: 'images' }),
  formEndpoint('images/variations', IMAGE_FORM, { meter: 'images' }),
  formEndpoint('ocr', OCR_FORM, { body: 'ocr', upstreamPath: 'chat/completions', isRelayed: false }),
];

/** Counts the tokens of a Messages request. It has a handler of its own, because it is answered here where no provider can. */
export const COUNT_TOKENS = jsonEndpoint('messages/count_tokens', { ...MESSAGES_ROW, isCounted: false });

/** Requests to paths without a row. Their path is that of the request. */
export const PASS_THROUGH = jsonEndpoint('', { isUnread: true, response: 'any', meter: 'reported' });
