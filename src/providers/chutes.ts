import { HttpError } from '../errors.ts';
import { type MultipartPart, readField } from '../http/multipart.ts';
import { fieldBaseName } from '../http/multipart-headers.ts';
import { firstMatch } from '../json/matches.ts';
import { chutesTranscribeBody } from '../protocols/chutes-transcribe.ts';
import { parseChutesTranscript } from '../protocols/chutes-transcript.ts';
import { renderTranscript, requireSegmentFormat } from '../protocols/transcription.ts';
import { TranscriptionFields } from '../protocols/transcription-form.ts';
import type { Provider } from '../store/entities.ts';
import type {
  AdapterCall,
  FormCallBody,
  JsonCallBody,
  ProviderAdapter,
  Quirk,
  Refusal,
  SuspectedQuirk,
  Target,
  UpstreamRequest,
} from './adapter.ts';
import { parseBaseUrl } from './base-url.ts';
import { MADE_JSON, openaiAdapter, postTo } from './openai.ts';

/**
 * Chutes (chutes.ai): OpenAI's API for chat and embeddings, and its own endpoint for speech, which takes JSON with the audio
 * in base64 and responds with a list of segments (chutesai/chutes, examples/whisper_stt.py).
 */
export const chutesAdapter: ProviderAdapter = {
  buildRequest(call, target, quirks) {
    const { body } = call;
    if (body.kind === 'json') {
      return openaiAdapter.buildRequest(chutesCall(call, body, quirks), target, quirks);
    }
    const speech = speechOf(call);
    return speech === null
      ? openaiAdapter.buildRequest(call, target, quirks)
      : transcribeRequest(call, speech, target);
  },
  suspectQuirk(call, refusal, asked) {
    return openaiAdapter.suspectQuirk(call, refusal, asked) ?? suspectModel(call, refusal, asked.quirks);
  },
  renderFor(call) {
    const speech = speechOf(call);
    if (speech === null) return null;
    const { fields } = speech;
    return (response, contentType) => {
      const { form, task } = fields;
      const language = task === 'translate' ? 'en' : form.language;
      const transcript = parseChutesTranscript(response, contentType);
      return renderTranscript(transcript, requireSegmentFormat(form), { task, language });
    };
  },
};

/** True for a provider of type `chutes`, and for the host `chutes.ai` and its subdomains. */
export function isChutes(provider: Provider): boolean {
  if (provider.type === 'chutes') return true;
  const host = parseBaseUrl(provider.baseUrl)?.hostname ?? '';
  return host === 'chutes.ai' || host.endsWith('.chutes.ai');
}

interface Speech {
  readonly parts: FormCallBody['parts'];
  readonly fields: TranscriptionFields;
}

/** The form of a request for a transcript or a translation; null for every other call. */
function speechOf({ body }: AdapterCall): Speech | null {
  if (body.kind !== 'form' || !(body.fields instanceof TranscriptionFields)) return null;
  return { parts: body.parts, fields: body.fields };
}

/** Chutes picks its handler by `stream`, which must be a boolean or absent (chutesai/chutes-api). */
function chutesCall(call: AdapterCall, body: JsonCallBody, quirks: ReadonlySet<Quirk>): AdapterCall {
  if (call.endpoint.hasVectors && quirks.has('no_embedding_model')) {
    return { ...call, options: { ...call.options, drop: [...(call.options.drop ?? []), 'model'] } };
  }
  const stream = firstMatch(body.scan, 'stream');
  if (stream?.kind !== 'null') return call;
  const patch = { start: stream.start, end: stream.end, bytes: Buffer.from('false') };
  return { ...call, body: { ...body, patches: [...body.patches, patch] } };
}

/** vLLM refuses a wrong model name but accepts a request without a model. Chutes' router turns the refusal into a 500. */
function suspectModel(
  { endpoint, body }: AdapterCall,
  { status, text }: Refusal,
  quirks: ReadonlySet<Quirk>,
): SuspectedQuirk | null {
  if (!endpoint.hasVectors || body.kind !== 'json' || quirks.has('no_embedding_model')) return null;
  if (status !== 404 && !(status === 500 && /model/i.test(text))) return null;
  return { quirk: 'no_embedding_model', isGuess: true, isRemembered: true };
}

function transcribeRequest(call: AdapterCall, { parts, fields }: Speech, target: Target): UpstreamRequest {
  const { record } = target.provider;
  requireSegmentFormat(fields.form);
  const extras = (): { language?: string } => {
    requireSegmentFormat(fields.form);
    const { language } = fields.form;
    // The published handler translates into `language` instead of using it as a hint.
    if (fields.task === 'translate') return { language: 'en' };
    return record.options.chutesLanguageHint === true && language !== null ? { language } : {};
  };
  const stream = chutesTranscribeBody(audioOf(parts()), extras);
  return postTo(call, target, {
    path: transcribePath(record),
    own: MADE_JSON,
    body: { kind: 'stream', stream },
  });
}

/** The audio of the form. Reading the other parts of a form that is not held fills its fields. */
async function* audioOf(parts: AsyncIterable<MultipartPart>): AsyncGenerator<Buffer> {
  let files = 0;
  for await (const part of parts) {
    if (fieldBaseName(part.name) !== 'file') {
      await readField(part);
      continue;
    }
    files += 1;
    if (files > 1) throw new HttpError('invalid_body', 'The form has more than one file.', { param: 'file' });
    yield* part.body;
  }
}

/** The path of the speech endpoint. A base URL with a path other than `/v1` is the endpoint itself. */
function transcribePath(provider: Provider): string {
  if (provider.options.transcribePath !== undefined) return provider.options.transcribePath;
  const path = parseBaseUrl(provider.baseUrl)?.pathname.replace(/\/+$/, '') ?? '';
  return path === '' || path === '/v1' ? '/transcribe' : path;
}
