import type { Dialect, DialectClient, DialectRequest } from '../dialects/dialect.ts';
import { type ModelTraits, traitsOf } from '../dialects/model-traits.ts';
import { HttpError } from '../errors.ts';
import { type InflightLease, overloaded } from '../inflight-budget.ts';
import type { JsonScan } from '../json/matches.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJsonInTurns } from '../json/scan.ts';
import { JsonScanError } from '../json/tokens.ts';
import { isRecord, parseJson } from '../json/value.ts';
import { checkImageParts, IMAGE_PATTERNS } from '../protocols/image-parts.ts';
import type { JsonCallBody } from '../providers/adapter.ts';
import type { ModelOptions } from '../store/entities.ts';
import { doInTurns, giveTurn, Pace, type Steps } from '../turns.ts';

/** What is looked up in a chat request that was made here. */
const PATTERNS = compilePatterns(
  ['model', 'stream', 'stream_options', 'stream_options.include_usage', ...IMAGE_PATTERNS],
  [],
  { listsMembers: true },
);

/** Up to this size a body is translated without a turn for others. */
const AT_ONCE_BYTES = 256 * 1024;
/** About a millisecond of work. */
const STEPS_PER_TURN = 1000;
/** Of a chat request that is written. */
const PIECE_CHARS = 64 * 1024;
const PIECES_PER_TURN = 4;

interface TranslationOptions {
  readonly dialect: Dialect;
  /** The client's body, known to be a JSON object. */
  readonly bytes: Buffer;
  readonly client: DialectClient;
  readonly stream: boolean;
  /** Counts the memory of the chat request. */
  readonly lease: InflightLease;
}

/** The translation of one request into chat completions, made when the first target needs it. */
export class Translation {
  readonly #options: TranslationOptions;
  #request: DialectRequest | null = null;
  /** Targets whose models take the same get the same body. */
  readonly #bodies = new Map<string, JsonCallBody>();

  constructor(options: TranslationOptions) {
    this.#options = options;
  }

  get dialect(): Dialect {
    return this.#options.dialect;
  }

  /** The request, once it was read. */
  request(): DialectRequest {
    if (this.#request === null) throw new Error('The request was not read.');
    return this.#request;
  }

  /** Reads the request. To call it again does nothing. @throws HttpError as `Dialect.parse`. */
  async read(): Promise<DialectRequest> {
    if (this.#request !== null) return this.#request;
    const { dialect, bytes, client } = this.#options;
    const body = parseJson(bytes);
    if (!isRecord(body)) throw new HttpError('invalid_body', 'The body must be a JSON object.');
    await this.#giveTurn();
    this.#request = await doInTurns(dialect.parse(body, client), new Pace(STEPS_PER_TURN));
    await this.#giveTurn();
    return this.#request;
  }

  /**
   * The chat request for a target, its images checked.
   * @throws HttpError as `read`, `image_validation_failed`, `server_overloaded`, `invalid_body`.
   */
  async bodyFor(options: ModelOptions, upstreamModel: string): Promise<JsonCallBody> {
    const traits = traitsOf(options, upstreamModel);
    const key = JSON.stringify(traits);
    const known = this.#bodies.get(key);
    if (known !== undefined) return known;
    const body = await this.#make(traits);
    this.#bodies.set(key, body);
    return body;
  }

  async #make(traits: ModelTraits): Promise<JsonCallBody> {
    const { client, stream, lease, bytes: received } = this.#options;
    const request = await this.read();
    const members = await doInTurns(request.toChat(traits), new Pace(STEPS_PER_TURN));
    const chat = { model: client.modelId, ...members, ...(stream ? { stream } : {}) };
    const bytes = await doInTurns(writeChat(chat), new Pace(PIECES_PER_TURN));
    const heldBytes = received.length + bytes.length * (this.#bodies.size + 1);
    if (!lease.growTo(heldBytes)) throw overloaded(lease, heldBytes);
    const scan = await scanChat(bytes);
    return { kind: 'json', bytes, scan, patches: await checkImageParts(bytes, scan) };
  }

  /** Each step of a large body takes a while. */
  async #giveTurn(): Promise<void> {
    if (this.#options.bytes.length > AT_ONCE_BYTES) await giveTurn();
  }
}

/** @throws HttpError `invalid_body`: a chat request has more parts, and nests deeper, than what it was made from. */
async function scanChat(bytes: Buffer): Promise<JsonScan> {
  try {
    return await scanJsonInTurns(bytes, PATTERNS);
  } catch (error) {
    if (!(error instanceof JsonScanError)) throw error;
    const message = 'The body has too many parts, or is nested too deeply, to be translated for this model.';
    throw new HttpError('invalid_body', message, { cause: error });
  }
}

/** A chat request as JSON, message by message: pictures make a history long. */
function* writeChat({ messages, ...others }: Readonly<Record<string, unknown>>): Steps<Buffer> {
  const pieces: Buffer[] = [];
  let text = `${JSON.stringify(others).slice(0, -1)},"messages":[`;
  for (const [index, message] of (messages as readonly object[]).entries()) {
    text += `${index === 0 ? '' : ','}${JSON.stringify(message)}`;
    if (text.length < PIECE_CHARS) continue;
    pieces.push(Buffer.from(text));
    text = '';
    yield;
  }
  pieces.push(Buffer.from(`${text}]}`));
  return Buffer.concat(pieces);
}
