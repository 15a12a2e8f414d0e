import { ByteGatherer } from '../../byte-gatherer.ts';
import { HttpError } from '../../errors.ts';
import { modelNotFound } from '../../gateway/routing.ts';
import { FIELD_LIMIT_BYTES, fieldText, type MultipartPart, readField } from '../../http/multipart.ts';
import { fieldBaseName } from '../../http/multipart-headers.ts';
import { type InflightLease, overloaded } from '../../inflight-budget.ts';
import type { FormFields, FormKind } from '../../protocols/form-kinds.ts';
import { fieldTooLong } from '../../protocols/transcription-form.ts';
import { foldedName, MODEL_LENGTH } from './model-pickers.ts';

export interface FormPartsOptions {
  readonly kind: FormKind;
  /** Takes the fields, files apart, in their order. */
  readonly fields: FormFields;
  /** Checks each part's name before its content is read; null: any name is allowed. @throws HttpError. */
  readonly checkName: ((name: string) => void) | null;
  /** Counts the bytes of the form held in memory. */
  readonly lease: InflightLease;
  /** Told of each file at its end: its first bytes, and its size. */
  readonly onFile: (head: Buffer, bytes: number) => void;
}

/** A part whose content is in memory. */
interface HeldPart extends Omit<MultipartPart, 'body'> {
  readonly pieces: readonly Buffer[];
}

const HEAD_BYTES = 12;
/** Enough of a file to tell how long its sound is. */
const KEPT_HEAD_BYTES = 64;

/**
 * Reads a form part by part: first up to its `model`, holding the parts before it, then the rest while it arrives. If a file
 * came before `model`, the fields behind it can be held too, so that the form can be sent again. An invalid part throws
 * before the end of the form is passed on, so no provider acts on the form.
 */
export class FormParts {
  readonly #parts: AsyncIterator<MultipartPart>;
  readonly #options: FormPartsOptions;
  readonly #held: HeldPart[] = [];
  /** A file that was found behind `model`; its content is not read yet. */
  #nextFile: MultipartPart | null = null;
  #heldBytes = 0;
  #fieldBytes = 0;
  #hasFile = false;
  #model: string | null = null;
  #isPassedOn = false;

  constructor(parts: AsyncIterable<MultipartPart>, options: FormPartsOptions) {
    this.#parts = parts[Symbol.asyncIterator]();
    this.#options = options;
  }

  /**
   * Reads up to the field `model` and returns its value; null: the form has none, and is in memory now, as after `holdRest`.
   * @throws HttpError `missing_required_parameter`, `server_overloaded`, and the errors of the checks and of the reader.
   */
  async readModel(mayLack: boolean): Promise<string | null> {
    for (;;) {
      const part = await this.#next();
      if (part === null) {
        if (!mayLack) throw missing('model');
        this.#finish();
        return null;
      }
      this.#held.push(part.isFile ? await this.#holdFile(part) : await this.#takeField(part));
      if (this.#model === null) continue;
      if (this.#model === '') throw missing('model');
      return this.#model;
    }
  }

  /** The text of a field that came before `model`; null: there was none, or a file. */
  heldText(name: string): string | null {
    const part = this.#held.find((held) => !held.isFile && held.name === name);
    return part === undefined ? null : Buffer.concat(part.pieces).toString();
  }

  /** The pieces of a file that came before `model`; null: there was none. */
  heldFile(): readonly Buffer[] | null {
    return this.#held.find(({ isFile }) => isFile)?.pieces ?? null;
  }

  /**
   * Call it after `readModel`. If a file came before `model`, reads on to the end or to another file. Returns true if the whole
   * form is in memory now: read it with `held` then, with `all` otherwise. @throws HttpError as `all`.
   */
  async holdRest(): Promise<boolean> {
    if (!this.#held.some(({ isFile }) => isFile)) return false;
    for (let part = await this.#next(); part !== null; part = await this.#next()) {
      if (part.isFile) {
        this.#nextFile = part;
        return false;
      }
      this.#held.push(await this.#takeField(part));
    }
    this.#finish();
    return true;
  }

  /** All parts of a form that is held whole. They stay in memory, so they can be read again. */
  async *held(): AsyncGenerator<MultipartPart> {
    for (const { pieces, ...headers } of this.#held) yield { ...headers, body: repeatable(pieces) };
  }

  /** All parts in their order, to be read once: the held parts, then the rest. @throws HttpError for an invalid part. */
  async *all(): AsyncGenerator<MultipartPart> {
    if (this.#isPassedOn) throw new Error('The form was read before.');
    this.#isPassedOn = true;
    for (let part = this.#takeHeld(); part !== null; part = this.#takeHeld()) yield part;
    for (let part = this.#nextFile ?? (await this.#next()); part !== null; part = await this.#next()) {
      if (part.isFile) yield { ...part, body: this.#checked(part) };
      else yield drained(await this.#takeField(part));
    }
    this.#finish();
  }

  #takeHeld(): MultipartPart | null {
    const part = this.#held.shift();
    return part === undefined ? null : drained(part);
  }

  #finish(): void {
    const { fileField } = this.#options.kind;
    if (!this.#hasFile && fileField !== null) throw missing(fileField);
    this.#options.fields.finish();
  }

  async #next(): Promise<MultipartPart | null> {
    const step = await this.#parts.next();
    if (step.done === true) return null;
    const { name, filename, contentType } = step.value;
    // A part's headers alone may be 16 KB.
    this.#hold(name.length + (filename?.length ?? 0) + (contentType?.length ?? 0));
    this.#options.checkName?.(name);
    if (step.value.isFile && foldedName(name) === 'model') {
      throw new HttpError('invalid_body', 'The form field `model` must be text, not a file.', {
        param: 'model',
      });
    }
    return step.value;
  }

  async #takeField(part: MultipartPart): Promise<HeldPart> {
    const isModel = foldedName(part.name) === 'model';
    if (isModel && (part.name !== 'model' || this.#model !== null)) {
      throw new HttpError('invalid_body', 'The form names `model` more than once.', { param: 'model' });
    }
    const value = await this.#readField(part, isModel);
    const text = fieldText(part.name, value);
    if (isModel) this.#model = text;
    this.#options.fields.take(part.name, text);
    return heldPart(part, [value]);
  }

  #readField(part: MultipartPart, isModel: boolean): Promise<Buffer> {
    const counted = { ...part, body: this.#counted(part) };
    if (isModel) return readField(counted, MODEL_LENGTH, (start) => modelNotFound(start.toString()));
    const base = fieldBaseName(part.name);
    const limitBytes = this.#options.kind.fieldBytes[base];
    if (limitBytes === undefined) return readField(counted);
    return readField(counted, limitBytes, () => fieldTooLong(base));
  }

  /** A field's content, counted while it arrives, because an endless field would be held too. */
  async *#counted(part: MultipartPart): AsyncGenerator<Buffer> {
    for await (const chunk of part.body) {
      this.#fieldBytes += chunk.length;
      // The limit of one field is also the limit of all fields together.
      if (this.#fieldBytes > FIELD_LIMIT_BYTES) {
        throw new HttpError('request_too_large', 'The fields of the form together are larger than 1 MB.', {
          param: part.name,
        });
      }
      this.#hold(chunk.length);
      yield chunk;
    }
  }

  /** Holds a file that comes before `model`, as in most curl examples, in memory within the budget. */
  async #holdFile(part: MultipartPart): Promise<HeldPart> {
    const gathered = new ByteGatherer();
    for await (const chunk of this.#checked(part)) {
      this.#hold(chunk.length);
      gathered.add(chunk);
    }
    return heldPart(part, gathered.pieces());
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    const { lease } = this.#options;
    if (!lease.growTo(this.#heldBytes)) throw overloaded(lease, this.#heldBytes);
  }

  /** A file's content. Its first bytes are checked before any byte is passed on. */
  async *#checked(part: MultipartPart): AsyncGenerator<Buffer> {
    if (fieldBaseName(part.name) === this.#options.kind.fileField) this.#hasFile = true;
    let head: Buffer = Buffer.alloc(0);
    let bytes = 0;
    for await (const chunk of part.body) {
      bytes += chunk.length;
      if (head.length >= HEAD_BYTES) {
        yield chunk;
        continue;
      }
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < HEAD_BYTES) continue;
      this.#options.kind.checkFile(part, head);
      yield head;
      // A copy, because the rest of the chunk need not stay in memory.
      head = Buffer.from(head.subarray(0, KEPT_HEAD_BYTES));
    }
    this.#options.onFile(head, bytes);
    if (head.length >= HEAD_BYTES) return;
    this.#options.kind.checkFile(part, head);
    if (head.length > 0) yield head;
  }
}

function heldPart({ body: _body, ...headers }: MultipartPart, pieces: readonly Buffer[]): HeldPart {
  return { ...headers, pieces };
}

/** A part to be read once. Each piece is dropped when it is handed on, so it can be freed as soon as its reader is done. */
function drained({ pieces, ...headers }: HeldPart): MultipartPart {
  const remaining = [...pieces].reverse();
  const body = {
    async *[Symbol.asyncIterator]() {
      for (let piece = remaining.pop(); piece !== undefined; piece = remaining.pop()) yield piece;
    },
  };
  return { ...headers, body };
}

function repeatable(pieces: readonly Buffer[]): AsyncIterable<Buffer> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* pieces;
    },
  };
}

function missing(name: string): HttpError {
  return new HttpError('missing_required_parameter', `The form must have a field \`${name}\`.`, {
    param: name,
  });
}
