import { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import { fieldBaseName, type MultipartPart, readField } from '../http/multipart.ts';
import { firstMatch, type JsonMatch, type Patch } from '../json/scan.ts';
import { chutesTranscribeBody } from '../protocols/chutes-transcribe.ts';
import { parseChutesTranscript } from '../protocols/chutes-transcript.ts';
import { renderTranscript, requireSegmentFormat } from '../protocols/transcription.ts';
import { parseTranscriptionForm } from '../protocols/transcription-form.ts';
import type { Provider } from '../store/entities.ts';
import type {
  AdapterCall,
  Amendment,
  FormCallBody,
  JsonCallBody,
  ProviderAdapter,
  UpstreamRequest,
} from './adapter.ts';
import { parseBaseUrl } from './base-url.ts';
import { amendEncodingFormat, jsonRequest, openaiAdapter, upstreamHeaders } from './openai.ts';

/**
 * Chutes (chutes.ai): OpenAI's API for chat and embeddings, and an endpoint of its own for speech, which takes JSON with
 * the audio in base64 and answers with a list of segments (chutesai/chutes, examples/whisper_stt.py).
 */
export const chutesAdapter: ProviderAdapter = {
  buildRequest(call) {
    const { body } = call;
    if (body.kind === 'form' && isSpeech(call)) return transcribeRequest(call, body);
    if (body.kind !== 'json') return openaiAdapter.buildRequest(call);
    return jsonRequest(call, forChutes(call, body));
  },
  amend(call, status, errorText) {
    return amendEncodingFormat(call, status, errorText) ?? amendModel(call, status, errorText);
  },
  translator(call) {
    const { body } = call;
    if (body.kind !== 'form' || !isSpeech(call)) return null;
    return (answer, contentType) => {
      const form = parseTranscriptionForm(body.fields);
      const task = call.path === 'audio/translations' ? 'translate' : 'transcribe';
      const language = task === 'translate' ? 'en' : form.language;
      return renderTranscript(parseChutesTranscript(answer, contentType), requireSegmentFormat(form), {
        task,
        language,
      });
    };
  },
};

/** A provider is Chutes by its type, or by its host: `chutes.ai` and what ends with `.chutes.ai`, nothing that only mentions it. */
export function isChutes(provider: Provider): boolean {
  if (provider.type === 'chutes') return true;
  const host = parseBaseUrl(provider.baseUrl)?.hostname ?? '';
  return host === 'chutes.ai' || host.endsWith('.chutes.ai');
}

function isSpeech(call: AdapterCall): boolean {
  return call.path === 'audio/transcriptions' || call.path === 'audio/translations';
}

/** Embedding chutes that refused a call and then took it without a model's name; kept while the provider stays as it is. */
const withoutModel = new WeakSet<Provider>();

/** Chutes picks its handler by `stream`, which must be a boolean or absent (chutesai/chutes-api). */
function forChutes(call: AdapterCall, body: JsonCallBody): JsonCallBody {
  const stream = firstMatch(body.scan, 'stream');
  const patches: Patch[] =
    stream?.kind === 'null' ? [{ start: stream.start, end: stream.end, bytes: Buffer.from('false') }] : [];
  if (call.path === 'embeddings' && withoutModel.has(call.provider)) return dropModel(body);
  return patches.length === 0 ? body : { ...body, patches: [...body.patches, ...patches] };
}

/** vLLM refuses a model's name that is not its own, but takes none at all; the router makes a 500 of that refusal. */
function amendModel(call: AdapterCall, status: number, errorText: string): Amendment | null {
  const { body, provider } = call;
  if (call.path !== 'embeddings' || body.kind !== 'json' || withoutModel.has(provider)) return null;
  if (status !== 404 && !(status === 500 && /model/i.test(errorText))) return null;
  return { call: { ...call, body: dropModel(body) }, onProven: () => void withoutModel.add(provider) };
}

function dropModel(body: JsonCallBody): JsonCallBody {
  const match = firstMatch(body.scan, 'model');
  if (match === undefined) return body;
  const scan = { ...body.scan, matches: body.scan.matches.filter(({ pattern }) => pattern !== 'model') };
  return {
    ...body,
    scan,
    patches: [...body.patches, { ...memberSpan(body.bytes, match), bytes: Buffer.alloc(0) }],
  };
}

const QUOTE = 0x22;
const COMMA = 0x2c;

/** The whole member of a value, with the comma that goes with it. The body is known to be JSON, so signs suffice. */
function memberSpan(bytes: Buffer, value: JsonMatch): { start: number; end: number } {
  const closing = bytes.lastIndexOf(QUOTE, value.start - 1);
  let start = bytes.lastIndexOf(QUOTE, closing - 1);
  const after = skipSpace(bytes, value.end, 1);
  if (bytes[after] === COMMA) return { start, end: after + 1 };
  const before = skipSpace(bytes, start - 1, -1);
  if (bytes[before] === COMMA) start = before;
  return { start, end: value.end };
}

function skipSpace(bytes: Buffer, from: number, step: 1 | -1): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0a || bytes[at] === 0x0d) at += step;
  return at;
}

function transcribeRequest(call: AdapterCall, body: FormCallBody): UpstreamRequest {
  const { provider } = call;
  requireSegmentFormat(parseTranscriptionForm(body.fields, { isWhole: false }));
  const extras = (): { language?: string } => {
    const form = parseTranscriptionForm(body.fields);
    requireSegmentFormat(form);
    // The published handler takes `language` as an order to translate into it.
    if (call.path === 'audio/translations') return { language: 'en' };
    return provider.options.chutesLanguageHint === true && form.language !== null
      ? { language: form.language }
      : {};
  };
  const stream = Readable.from(chutesTranscribeBody(audioOf(body.parts), extras), { objectMode: false });
  return {
    provider,
    method: 'POST',
    path: transcribePath(provider),
    headers: upstreamHeaders(call, { accept: 'application/json', 'content-type': 'application/json' }),
    body: { kind: 'stream', stream },
  };
}

/** Of all parts, the audio; the others are read on the way, which fills the form's fields. */
async function* audioOf(parts: AsyncIterable<MultipartPart>): AsyncGenerator<Buffer> {
  let files = 0;
  for await (const part of parts) {
    if (fieldBaseName(part.name) !== 'file') {
      await readField(part, 1024 * 1024);
      continue;
    }
    files += 1;
    if (files > 1) throw new HttpError('invalid_body', 'The form has more than one file.', { param: 'file' });
    yield* part.body;
  }
}

/** Native paths hang off the origin. A base URL with a path of its own names the endpoint itself. */
function transcribePath(provider: Provider): string {
  if (provider.options.transcribePath !== undefined) return provider.options.transcribePath;
  const path = parseBaseUrl(provider.baseUrl)?.pathname.replace(/\/+$/, '') ?? '';
  return path === '' || path === '/v1' ? '/transcribe' : path;
}
