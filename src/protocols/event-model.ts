import { dataSpan, firstDataSpan } from '../http/sse.ts';
import { LineEnds } from '../http/sse-records.ts';
import { type JsonRewriter, replaceFirstString } from '../json/rewriter.ts';

/** Where chat chunks and events of the Responses and Messages APIs name their model. */
const MODEL_PATHS = [['model'], ['response', 'model'], ['message', 'model']];
/** Without its first quote: the search for a byte that is rarer than quotes is faster. */
const MODEL = Buffer.from('model"');

/**
 * Puts the id of the requested model into events. The events of a stream usually begin with the same bytes up to their model,
 * so after the first event the renamer compares and replaces this prefix as bytes.
 */
export class EventModelRenamer {
  readonly #name: Buffer;
  #prefix: Buffer | null = null;
  #renamedPrefix = Buffer.alloc(0);
  /** Changes the data line of a record that comes in pieces; null between such lines. */
  #replacer: JsonRewriter | null = null;

  constructor(name: string) {
    this.#name = Buffer.from(JSON.stringify(name));
  }

  /** Adds a whole record to `out`, with its model renamed. */
  rename(record: Buffer, out: Buffer[]): void {
    const prefix = this.#prefix;
    if (
      prefix !== null &&
      record.length > prefix.length &&
      prefix.equals(record.subarray(0, prefix.length))
    ) {
      const rest = record.subarray(prefix.length);
      if (!rest.includes(MODEL)) {
        out.push(this.#renamedPrefix, rest);
        return;
      }
    }
    if (record.includes(MODEL)) this.#renameSlowly(record, out);
    else out.push(record);
  }

  /** Adds a piece of a record that is too long to hold. `begins` marks the first piece, `ends` the last. */
  renamePiece(
    piece: Buffer,
    place: { readonly begins: boolean; readonly ends: boolean },
    out: Buffer[],
  ): void {
    const span = place.begins ? firstDataSpan(piece) : { start: 0, end: new LineEnds(piece).next(0) };
    if (place.begins && span !== null) this.#replacer = replaceFirstString(MODEL_PATHS, this.#name);
    if (span === null || this.#replacer === null) {
      out.push(piece);
      return;
    }
    out.push(piece.subarray(0, span.start));
    this.#replacer.push(piece.subarray(span.start, span.end), out);
    if (span.end === piece.length && !place.ends) return;
    this.end(out);
    out.push(piece.subarray(span.end));
  }

  /** Adds the bytes held back from a record that was cut off after some pieces. */
  end(out: Buffer[]): void {
    this.#replacer?.end(out);
    this.#replacer = null;
  }

  #renameSlowly(record: Buffer, out: Buffer[]): void {
    const span = dataSpan(record);
    if (span === null) {
      out.push(record);
      return;
    }
    const replacer = replaceFirstString(MODEL_PATHS, this.#name);
    out.push(record.subarray(0, span.start));
    replacer.push(record.subarray(span.start, span.end), out);
    replacer.end(out);
    out.push(record.subarray(span.end));
    const { rewritten } = replacer;
    if (rewritten === null) return;
    const start = span.start + rewritten.start;
    this.#prefix = Buffer.from(record.subarray(0, span.start + rewritten.end));
    this.#renamedPrefix = Buffer.concat([record.subarray(0, start), this.#name]);
  }
}
