import { HttpError } from '../../errors.ts';
import { COUNT_TOKENS, ENDPOINTS, type Endpoint, PASS_THROUGH } from '../../gateway/endpoints.ts';
import { lookUpModel } from '../../gateway/routing.ts';
import { hasBody } from '../../http/body.ts';
import { hasUtf8Charset, isJsonType } from '../../http/content-type.ts';
import { decodeSegment, queryValue } from '../../http/request-target.ts';
import { NO_SIZE } from '../../limits/use-estimate.ts';
import { ANY_FORM } from '../../protocols/form-kinds.ts';
import { shownText } from '../../shown-text.ts';
import type { ConfigView } from '../../store/store.ts';
import type { Context, Handler } from '../context.ts';
import { mayPassThrough } from './default-provider.ts';
import { openForm } from './form.ts';
import { firstPieces, headModel, joinedPieces } from './form-head.ts';
import { refuseInnerPickers, refuseModelPath } from './inner-pickers.ts';
import { missingModel, parseJsonRequest } from './json-request.ts';
import { refuseModelPickers } from './model-pickers.ts';
import { type AskedCall, type CallOptions, OpenCall } from './open-call.ts';
import { V1 } from './paths.ts';
import { sizeOfJson } from './request-size.ts';
import { sendAnswer } from './send-answer.ts';

/**
 * Passes a request to a path that has no row of its own to the default provider, or to the provider of the model that its
 * body or query names: files, batches, assistants and the like. Method, query and body stay as they are.
 */
export function passThrough(options: CallOptions): Handler {
  return async (context) => {
    if (!mayPassThrough(context.principal)) throw unknownPath(context);
    const open = new OpenCall(context, endpointFor(context), options);
    try {
      const call = open.toCall(await read(open, options.view()));
      const answer = await options.gateway.execute(call);
      if (call.body.kind === 'json') open.close();
      await sendAnswer(context, answer, options);
    } finally {
      open.close();
    }
  };
}

/** Paths with a row of their own. */
const OWN_PATHS: ReadonlySet<string> = new Set([...ENDPOINTS, COUNT_TOKENS].map(({ path }) => path));

/**
 * The row of a path that has none. @throws HttpError `unknown_url` for a path that leads above the base URL, and for another
 * spelling of a path that has a row, which the provider may read as that path.
 */
function endpointFor(context: Context): Endpoint {
  const path = context.path.slice(V1.length);
  const segments = segmentsOf(path);
  if (segments === null || segments.some((segment) => segment === '.' || segment === '..'))
    throw unknownPath(context);
  const plain = segments.filter((segment) => segment !== '').join('/');
  if (OWN_PATHS.has(plain.toLowerCase())) throw unknownPath(context);
  return { ...PASS_THROUGH, path, upstreamPath: path };
}

/** The segments of a path as the most lenient server reads them, without parameters; null: it cannot be decoded. */
function segmentsOf(path: string): string[] | null {
  const decoded = decodeSegment(path);
  return decoded === null
    ? null
    : decoded.split(/[\\/]/).map((segment) => segment.replace(/;.*/s, '').trim());
}

function unknownPath({ path }: Context): HttpError {
  return new HttpError(
    'unknown_url',
    `There is nothing at ${shownText(path)}. The API is under /v1, the panel at /.`,
  );
}

async function read(open: OpenCall, view: ConfigView): Promise<AskedCall> {
  const { req, query } = open.context;
  const contentType = req.headers['content-type'];
  if (open.isRestricted) refuseModelPath(segmentsOf(open.endpoint.path) ?? []);
  if (!hasBody(req)) {
    chooseProvider(open, queryValue(query, 'model'), view);
    await open.admit(NO_SIZE);
    return { body: { kind: 'raw', contentType: null, body: null } };
  }
  if (isJsonType(contentType) && hasUtf8Charset(contentType)) return readJson(open, view);
  const pieces = await firstPieces(open.readPieces());
  const model = headModel(pieces.head, contentType);
  chooseProvider(open, model ?? queryValue(query, 'model'), view);
  await open.admit(NO_SIZE);
  const body = joinedPieces(pieces);
  if (model === null) {
    // Its model may follow, where nobody looks.
    if (open.isRestricted) throw modelFirst();
    return { body: { kind: 'raw', contentType: contentType ?? null, body } };
  }
  const fields = ANY_FORM.openFields();
  const form = openForm(open, ANY_FORM, { fields, pieces: body });
  await form.readModel(false);
  return { body: { kind: 'form', isHeld: false, parts: () => form.all(), fields } };
}

async function readJson(open: OpenCall, view: ConfigView): Promise<AskedCall> {
  const bytes = await open.readWhole();
  const request = await parseJsonRequest(bytes);
  chooseProvider(open, request.model ?? queryValue(open.context.query, 'model'), view);
  // Some providers have a model for requests that name none.
  if (open.isRestricted && request.model === null) throw missingModel();
  await open.admit(sizeOfJson(request, false));
  if (open.isRestricted) {
    refuseModelPickers(request.scan);
    await refuseInnerPickers(bytes);
  }
  return { body: { kind: 'json', bytes, scan: request.scan, patches: [] } };
}

/** A model that is not known here may be the provider's own; only those who may use every model reach it. */
function chooseProvider(open: OpenCall, model: string | null, view: ConfigView): void {
  const isKnown = model !== null && lookUpModel(view, model) !== null;
  if (model !== null && (isKnown || open.isRestricted)) open.authorise(model);
  else open.useDefaultProvider();
}

function modelFirst(): HttpError {
  const message =
    'This key is restricted to certain models. Put the field `model` before all files of the form.';
  return new HttpError('missing_required_parameter', message, { param: 'model' });
}
